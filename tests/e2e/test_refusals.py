# SPDX-License-Identifier: Apache-2.0

"""What the command lines say when something is refused.

One of each kind. Every single refusal is in tests/unit/cli, for what the
command lines find themselves; in tests/functional/api, for Cyborg's; and in
tests/functional/nova/test_refusals.py, for Nova's.
"""

import uuid

import pytest

from tests.e2e import contexts, person, servers

_BOOT = 'openstack server create --image cirros --flavor m1.small --nic none'
_NOVA_BOOT = 'nova boot --image cirros --flavor m1.small --nic none'


def test_by_the_command_line_or_by_cyborg(demo: person.Person) -> None:
    create = 'cyborg device-context-create'
    complaint = demo.is_refused(f'{create} --resources FPGA:0')
    assert '--resources: FPGA: 0 is not between 1 and' in complaint
    complaint = demo.is_refused(f'{create} --device-profile missing')
    assert 'Device profile missing was not found' in complaint
    assert contexts.every(demo) == []


@pytest.mark.parametrize('boot', [_BOOT, _NOVA_BOOT])
def test_a_boot(demo: person.Person, boot: str) -> None:
    unknown = str(uuid.UUID(int=7))
    complaint = demo.is_refused(
        f'{boot} --device-context-id {unknown} refused'
    )
    assert f'Device context {unknown} was not found' in complaint
    # What the option would not let pass.
    complaint = demo.is_refused(
        f'{boot} --hint device_context_id=nonsense refused'
    )
    assert 'Device context nonsense was not found' in complaint
    assert '404' in complaint
    assert servers.every(demo) == []


def test_what_is_another_projects_or_in_use(
    demo: person.Person, other: person.Person
) -> None:
    context_id = contexts.create(demo)
    server_id = servers.boot_active(demo, context_id)
    not_found = f'Device context {context_id} was not found'
    assert not_found in other.is_refused(
        f'cyborg device-context-show {context_id}'
    )
    in_use = f'Device context {context_id} is in use by server {server_id}'
    assert in_use in demo.is_refused(
        f'openstack accelerator device context delete {context_id}'
    )
    assert contexts.show(demo, context_id)['status'] == 'bound'
