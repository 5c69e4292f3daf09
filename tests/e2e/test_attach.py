# SPDX-License-Identifier: Apache-2.0

"""A server that runs gets a device context and loses it: the command lines."""

import uuid

import pytest

from tests.e2e import contexts, databases, guest, person, servers, waiting
from tools.cloud import cloud as cloud_module

_SHOWN = 'openstack accelerator device context show'


def _server(owner: person.Person) -> tuple[str, str]:
    """Boot a server on the first host, which has no device context any more.

    :returns: its UUID and its name.
    """
    # A member cannot choose the host, but by what only that one has.
    context_id = contexts.create(owner)
    server_id = servers.boot_active(owner, context_id)
    contexts.detach(owner, server_id, context_id)
    contexts.delete(owner, context_id)
    return server_id, servers.show(owner, server_id)['name']


def test_openstack(cloud: cloud_module.Cloud, demo: person.Person) -> None:
    context_id = contexts.create(demo)
    server_id, name = _server(demo)
    shown = demo.show(
        f'openstack server add device context --wait --tag gzip {name} '
        f'{context_id}'
    )
    assert shown['status'] == 'bound'
    assert shown['server_id'] == server_id
    assert shown['tag'] == 'gzip'
    known = contexts.show(demo, context_id)
    assert known['tag'] == 'gzip'
    assert guest.hostdevs(cloud, server_id) == guest.of_contexts(known)
    [listed] = demo.show(f'openstack server device context list {name}')
    assert listed['device_context_id'] == context_id
    assert listed['devices'][0]['slot'] == known['devices'][0]['slot']

    demo.run(
        f'openstack server remove device context --wait {name} {context_id}'
    )
    assert guest.hostdevs(cloud, server_id) == []
    assert demo.show(f'openstack server device context list {name}') == []
    assert demo.show(f'{_SHOWN} {context_id}')['status'] == 'available'
    actions = demo.run(
        f'openstack server event list {name} -f value -c Action'
    )
    assert {'attach_device_context', 'detach_device_context'} <= set(
        actions.split()
    )
    contexts.delete(demo, context_id)
    servers.delete(demo, [server_id])
    waiting.until('nothing to be left', lambda: not databases.leftovers(cloud))


def test_nova(cloud: cloud_module.Cloud, demo: person.Person) -> None:
    first, second = contexts.create(demo), contexts.create(demo)
    server_id = servers.boot_active(demo, first)
    demo.run(f'nova device-context-attach --wait {server_id} {second}')
    listed = demo.run(f'nova device-context-list {server_id}')
    assert first in listed
    assert second in listed
    given = guest.of_contexts(
        contexts.show(demo, first), contexts.show(demo, second)
    )
    assert guest.in_order(guest.hostdevs(cloud, server_id)) == guest.in_order(
        given
    )
    demo.run(f'nova device-context-detach --wait {server_id} {first}')
    assert guest.hostdevs(cloud, server_id) == guest.of_contexts(
        contexts.show(demo, second)
    )


@pytest.mark.parametrize(
    ('attach', 'detach'),
    [
        (
            'openstack server add device context',
            'openstack server remove device context',
        ),
        ('nova device-context-attach', 'nova device-context-detach'),
    ],
)
def test_what_is_refused(
    demo: person.Person, attach: str, detach: str
) -> None:
    context_id = contexts.create(demo)
    server_id, name = _server(demo)
    unknown = uuid.uuid4()
    assert str(unknown) in demo.is_refused(f'{attach} {name} {unknown}')
    assert 'no-uuid' in demo.is_refused(f'{attach} {name} no-uuid')
    assert 'no-server' in demo.is_refused(f'{attach} no-server {context_id}')
    assert 'is not attached' in demo.is_refused(
        f'{detach} {name} {context_id}'
    )
    contexts.attach(demo, server_id, context_id)
    said = demo.is_refused(f'{attach} {name} {context_id}')
    assert 'attached' in said
    assert server_id in said
    servers.act(demo, server_id, lock=None)
    assert 'locked' in demo.is_refused(f'{detach} {name} {context_id}')
    servers.act(demo, server_id, unlock=None)
    contexts.detach(demo, server_id, context_id)


def test_another_project_sees_nothing(
    demo: person.Person, other: person.Person
) -> None:
    context_id = contexts.create(demo)
    server_id = servers.boot_active(demo)
    own = servers.boot_active(other)
    for owner in (server_id, own):
        said = other.is_refused(
            f'openstack server add device context {owner} {context_id}'
        )
        assert 'found' in said, said
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_no_device_on_its_host(demo: person.Person) -> None:
    # A device that the server's host lacks.
    context_id = contexts.create(demo, resources={'FPGA_GZIP': 1})
    server_id = servers.boot_active(
        demo, contexts.create(demo, resources={'QAT': 1})
    )
    said = demo.is_refused(
        f'openstack server add device context --wait {server_id} {context_id}'
    )
    assert 'free' in said
    assert contexts.show(demo, context_id)['status'] == 'available'
    assert servers.show(demo, server_id)['status'] == 'ACTIVE'
