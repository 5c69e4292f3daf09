# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""Bad hints: what reaches Nova past the command lines' own checks."""

import uuid

import pytest

from tests.e2e import contexts, person, servers

_BOOT = 'openstack server create --image cirros --flavor m1.small --nic none'


def _fault_of(
    owner: person.Person, *context_ids: str, options: str = ''
) -> str:
    """Boot with hints as they are; the server is to fail.

    :returns: the message of the fault; that of each server is the same.
    """
    hints = ' '.join(
        f'--hint device_context_id={each}' for each in context_ids
    )
    owner.run(f'{_BOOT} {hints} {options} hinted')
    made = servers.named(owner, 'hinted')
    faults = {
        servers.wait_fault(owner, each['id'])['message'] for each in made
    }
    assert len(faults) == 1
    return faults.pop()


@pytest.mark.parametrize(
    'context_id', [str(uuid.UUID(int=7)), 'nonsense', '../../v2/devices']
)
def test_unknown_and_malformed(demo: person.Person, context_id: str) -> None:
    message = _fault_of(demo, context_id)
    assert f'Device context {context_id} was not found' in message


def test_another_projects(demo: person.Person, other: person.Person) -> None:
    context_id = contexts.create(demo)
    message = _fault_of(other, context_id)
    assert f'Device context {context_id} was not found' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_held_by_another_server(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    holder = servers.boot_active(demo, context_id)
    before = contexts.show(demo, context_id)
    free = contexts.create(demo)
    message = _fault_of(demo, free, context_id)
    assert f'Device context {context_id} is in use' in message
    assert holder in message
    assert contexts.show(demo, context_id) == before
    # All or nothing.
    assert contexts.show(demo, free)['status'] == 'available'


def test_the_same_twice(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    message = _fault_of(demo, context_id, context_id)
    assert f'{context_id} is named more than once' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_two_servers(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    message = _fault_of(demo, context_id, options='--min 2 --max 2')
    assert f'{context_id} cannot be given to 2 servers' in message
    assert contexts.show(demo, context_id)['status'] == 'available'


@pytest.mark.parametrize(
    'boot', [_BOOT, 'nova boot --image cirros --flavor m1.small --nic none']
)
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
    [
        f'{_BOOT} --max 2',
        'nova boot --image cirros --flavor m1.small --nic none --max-count 2',
    ],
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
