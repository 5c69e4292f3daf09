# SPDX-License-Identifier: Apache-2.0

"""What is bound already has the names that real cards have."""

import json
import uuid

from tools.bench.population import names


def test_one_number_after_the_other_adds_what_is_not_there():
    parts = dict(names.parts((10, 100, 1000)))

    assert parts[10].cards == range(1)
    assert parts[10].hosts == range(1)
    assert parts[100].servers == range(10, 100)
    assert parts[100].cards == range(1, 10)
    # The host is there already.
    assert not parts[100].hosts
    assert parts[1000].hosts == range(1, 10)
    assert parts[1000].cards == range(10, 100)


def test_each_server_has_a_slot_of_its_own():
    slots = {
        (names.host_of(n), json.dumps(names.slot(n))) for n in range(1000)
    }

    assert len(slots) == 1000


def test_a_slot_is_on_the_bus_of_its_card():
    assert names.slot(1234) == {
        'bus': '23',
        'device': '00',
        'domain': '0000',
        'function': '5',
    }
    assert names.slot(9)['device'] == '01'
    assert names.card(names.card_of(1234)) == 'bench00012_0000:23:00.0'


def test_identities_are_the_same_in_each_database():
    assert names.identity('server', 1) == names.identity('server', 1)
    assert names.identity('server', 1) != names.identity('server', 2)
    assert names.identity('server', 1) != names.identity('arq', 1)
    assert uuid.UUID(names.provider(3)).version == 3
