# SPDX-License-Identifier: Apache-2.0

"""A slot that a server gave back is cleaned before another one gets it."""

import pathlib

from tests.e2e import (
    cards,
    contexts,
    databases,
    guest,
    person,
    servers,
    waiting,
)
from tools.cloud import cloud as cloud_module

_SLOT = '0000:72:00.1'
# It writes down the address of the slot, and waits for a word to go on.
_SCRIPT = 'echo "$2" >> "$0"; while ! test -e "$1"; do sleep 0.2; done'
_RESERVED = """
    SELECT reserved FROM inventories
    JOIN resource_providers AS provider
    ON provider.id = resource_provider_id WHERE provider.name = ?
"""


def test_a_slot_is_cleaned_before_it_is_given_again(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    card: cards.Card,
    tmp_path: pathlib.Path,
) -> None:
    cleaned, go_on = tmp_path / 'cleaned', tmp_path / 'go-on'

    def reserved() -> int:
        ((number,),) = databases.query(
            cloud, 'placement', _RESERVED, card.provider
        )
        return int(number)

    program = ['/bin/sh', '-c', _SCRIPT, str(cleaned), str(go_on)]
    card.write(_SLOT, cleaning={'program': program, 'timeout': 600})
    card.wait_for_slots(admin, _SLOT)
    first = contexts.create(demo, resources={'YPU': 1})
    server = servers.boot_active(demo, first)
    assert [each.slot for each in guest.hostdevs(cloud, server)] == [_SLOT]
    assert not cleaned.exists()

    servers.delete(demo, [server])

    waiting.until('the program to run', cleaned.exists)
    assert reserved() == 1
    go_on.touch()
    waiting.until('the slot to be clean', lambda: not reserved())
    assert cleaned.read_text().split() == [_SLOT]
    second = contexts.create(demo, resources={'YPU': 1})
    other = servers.boot_active(demo, second)
    assert [each.slot for each in guest.hostdevs(cloud, other)] == [_SLOT]
