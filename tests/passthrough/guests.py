# SPDX-License-Identifier: Apache-2.0

"""Servers whose guests compute, and what they say of it."""

import collections.abc
import math
import re
import typing as ty

from tests.e2e import contexts, guest, person, servers
from tests.passthrough import hypervisors
from tools.cloud import cloud as cloud_module
from tools.seldom.guest import console, watch

#: Ample for what is not a guest's start, in emulated machines on a busy one.
SECONDS = 420.0
FLAVOR = 'm1.nano'
_PRODUCTS = {'edu': '1234:11e8', 'nvme': '1b36:0010'}
_NUMBERS = (1, 5, 10, 12)
_EDU = '010000ed ' + ' '.join(f'{n}={math.factorial(n)}' for n in _NUMBERS)


def boot(owner: person.Person, *context_ids: str, **fields: ty.Any) -> str:
    """Boot a server with device contexts, and wait until Nova calls it ACTIVE.

    :returns: its UUID.
    """
    return servers.boot_active(owner, *context_ids, flavor=FLAVOR, **fields)


def boots(owner: person.Person, server_id: str) -> list[console.Boot]:
    """Return what a server's console says, by the owner's own request."""
    response = owner.compute.post(
        f'/servers/{server_id}/action', json={'os-getConsoleOutput': {}}
    )
    return console.parse(response.json()['output'])


def wait_ready(
    cloud: cloud_module.Cloud,
    owner: person.Person,
    server_id: str,
    after: console.Boot | None = None,
) -> console.Boot:
    """Wait until the guest of a server that is ACTIVE is ready.

    :param after: the start of the guest that does not count any more.
    :returns: what the guest has said, as its owner reads it.
    """
    before = after and after.boot_id
    # To ask Nova for it again and again would take from the guest's time.
    watch.until_ready(
        hypervisors.domain(cloud, server_id),
        lambda each: each.boot_id != before,
    )
    found = boots(owner, server_id)[-1]
    assert found.ready
    return found


def check(
    cloud: cloud_module.Cloud,
    owner: person.Person,
    server_id: str,
    boot: console.Boot,
    *context_ids: str,
) -> list[str]:
    """See that a guest has, and uses, what its device contexts name.

    :returns: the addresses of the devices on the host.
    """
    shown = [contexts.show(owner, each) for each in context_ids]
    given = guest.hostdevs(cloud, server_id)
    assert guest.in_order(given) == guest.in_order(guest.of_contexts(*shown))
    kinds = [_kind(each) for each in shown]
    slots = [context['devices'][0]['slot'] for context in shown]
    assert boot.uuid == server_id
    for kind, product in _PRODUCTS.items():
        assert boot.products().count(product) == kinds.count(kind), boot
    assert results(boot) == sorted(
        map(_expected, kinds, slots), key=lambda each: each[0]
    )
    return slots


def results(boot: console.Boot) -> list[tuple[str, str]]:
    """Return what a guest's programs have said, without its own addresses."""
    return sorted(
        (kind, text.partition(' ')[2]) for kind, text in boot.results
    )


def _kind(context: collections.abc.Mapping[str, ty.Any]) -> str:
    match = re.search(r'CUSTOM_(EDU|NVME)\b', str(context['groups']))
    assert match is not None, context
    return match[1].lower()


def _expected(kind: str, slot: str) -> tuple[str, str]:
    if kind == 'edu':
        return kind, f'{_EDU} dma=ok'
    # The drive's serial number says which of the host's it is.
    return kind, f'nvme{slot[8:10]} written=ok'
