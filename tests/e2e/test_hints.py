# SPDX-License-Identifier: Apache-2.0


"""Bad hints: what reaches Nova past the command lines' own checks.

nova-api refuses them. What becomes of them behind a nova-api without the
plugin is in tests/functional/nova/test_refusals.py.
"""

import uuid

import pytest

from tests.e2e import contexts, person, servers

_BOOT = 'openstack server create --image cirros --flavor m1.small --nic none'
_NOVA_BOOT = 'nova boot --image cirros --flavor m1.small --nic none'


def _refusal(
    owner: person.Person, *context_ids: str, boot: str = _BOOT
) -> str:
    """Boot with hints as they are; nothing is to come of it.

    :returns: what the user reads.
    """
    before = servers.every(owner)
    hints = ' '.join(
        f'--hint device_context_id={each}' for each in context_ids
    )
    complaint = owner.is_refused(f'{boot} {hints} hinted')
    assert servers.every(owner) == before
    return complaint


@pytest.mark.parametrize(
    'context_id', [str(uuid.UUID(int=7)), 'nonsense', '../../v2/devices']
)
@pytest.mark.parametrize('boot', [_BOOT, _NOVA_BOOT])
def test_unknown_and_malformed(
    demo: person.Person, boot: str, context_id: str
) -> None:
    message = _refusal(demo, context_id, boot=boot)
    assert f'Device context {context_id} was not found' in message
    assert '404' in message


def test_unknown_by_the_option(demo: person.Person) -> None:
    unknown = str(uuid.UUID(int=7))
    for boot in (_BOOT, _NOVA_BOOT):
        complaint = demo.is_refused(
            f'{boot} --device-context-id {unknown} refused'
        )
        assert f'Device context {unknown} was not found' in complaint
    assert servers.every(demo) == []


def test_another_projects(demo: person.Person, other: person.Person) -> None:
    context_id = contexts.create(demo)
    message = _refusal(other, context_id)
    assert f'Device context {context_id} was not found' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_held_by_another_server(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    holder = servers.boot_active(demo, context_id)
    before = contexts.show(demo, context_id)
    free = contexts.create(demo)
    message = _refusal(demo, free, context_id)
    assert f'Device context {context_id} is in use' in message
    assert holder in message
    assert '409' in message
    assert contexts.show(demo, context_id) == before
    assert contexts.show(demo, free)['status'] == 'available'


def test_the_same_twice(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    message = _refusal(demo, context_id, context_id)
    assert f'{context_id} is named more than once' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_two_servers(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    for boot in (f'{_BOOT} --min 2 --max 2', f'{_NOVA_BOOT} --max-count 2'):
        message = _refusal(demo, context_id, boot=boot)
        assert f'{context_id} cannot be given to 2 servers' in message
        assert '400' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_too_many_groups(demo: person.Person) -> None:
    ids = [contexts.create(demo) for _n in range(9)]
    message = _refusal(demo, *ids)
    assert 'have 9 request groups together; at most 8 are allowed' in message


@pytest.mark.parametrize('boot', [_BOOT, _NOVA_BOOT])
def test_the_command_lines_refuse_the_same_twice(
    demo: person.Person, boot: str
) -> None:
    context_id = contexts.create(demo)
    complaint = demo.is_refused(
        f'{boot} --device-context-id {context_id} '
        f'--device-context-id {context_id} refused'
    )
    assert f'{context_id} is named more than once' in complaint
    assert servers.every(demo) == []


@pytest.mark.parametrize(
    'boot',
    [f'{_BOOT} --max 2', f'{_NOVA_BOOT} --max-count 2'],
)
def test_the_command_lines_refuse_two_servers(
    demo: person.Person, boot: str
) -> None:
    context_id = contexts.create(demo)
    complaint = demo.is_refused(
        f'{boot} --device-context-id {context_id} refused'
    )
    assert 'cannot be given to 2 servers' in complaint
    assert servers.every(demo) == []
