# SPDX-License-Identifier: Apache-2.0

"""Device contexts and servers by their names, in each of the clients."""

from tests.e2e import contexts, person, servers

_CONTEXT = 'openstack accelerator device context'
# To Nova, names are regular expressions. Stock commands do not find this one.
_SERVER = 'vm.1+(a)'


def test_openstack(demo: person.Person) -> None:
    first = contexts.create(demo, name='first', delete_on_termination=False)
    second = contexts.create(demo, name='zwei Größen')
    made = demo.show(
        'openstack server create --image cirros --flavor m1.small --nic none '
        f"--device-context-id first '{_SERVER}'"
    )
    shown = demo.show(f'{_CONTEXT} show --wait first')
    assert (shown['uuid'], shown['status']) == (first, 'bound')
    servers.wait_active(demo, made['id'])
    assert [
        each['uuid']
        for each in demo.show(f"{_CONTEXT} list --server '{_SERVER}'")
    ] == [first]
    complaint = demo.is_refused(f'{_CONTEXT} list --server v.*')
    assert 'Server v.* was not found' in complaint

    demo.run(
        f"openstack server add device context --wait '{_SERVER}' "
        "'zwei Größen' -f json"
    )
    shown = demo.show(f'openstack server show {made["id"]}')
    held = {
        each['device_context_id']: (each['name'], each['status'])
        for each in shown['device_contexts']
    }
    assert held == {
        first: ('first', 'bound'),
        second: ('zwei Größen', 'bound'),
    }
    table = demo.run(f'openstack server show {made["id"]} -f table')
    assert f'{first} (first, bound)' in table

    demo.run(
        f"openstack server remove device context --wait '{_SERVER}' first "
        "'zwei Größen'"
    )
    shown = demo.show(f'openstack server show {made["id"]}')
    assert shown['device_contexts'] == []


def test_nova_and_cyborg(demo: person.Person) -> None:
    first = contexts.create(demo, name='first', delete_on_termination=False)
    demo.run(
        'nova boot --device-context-id first --image cirros '
        f"--flavor m1.small --nic none --poll '{_SERVER}'"
    )
    listed = demo.show(f"cyborg device-context-list --server '{_SERVER}'")
    assert [each['uuid'] for each in listed] == [first]
    assert first in demo.run(f"nova device-context-list '{_SERVER}'")
    demo.run(f"nova device-context-detach --wait '{_SERVER}' first")
    demo.run(f"nova device-context-attach --wait '{_SERVER}' first")
    shown = demo.show('cyborg device-context-show first')
    assert (shown['uuid'], shown['status']) == (first, 'bound')


def test_two_of_one_name(demo: person.Person, other: person.Person) -> None:
    # What others have does not count.
    contexts.create(other, name='zip')
    ids = [contexts.create(demo, name='zip') for _n in range(2)]
    for command in (
        f'{_CONTEXT} show zip',
        f'{_CONTEXT} delete zip',
        'cyborg device-context-set zip --tag gzip',
        'openstack server create --image cirros --flavor m1.small '
        '--nic none --device-context-id zip vm1',
        'nova boot --image cirros --flavor m1.small --nic none '
        '--device-context-id zip vm1',
    ):
        complaint = demo.is_refused(command)
        assert all(each in complaint for each in ids), command
    assert servers.every(demo) == []

    demo.run(f'cyborg device-context-set {ids[0]} --name "" --tag gzip')
    listed = demo.show(f'{_CONTEXT} list --tag gzip')
    assert [(each['uuid'], each['name']) for each in listed] == [
        (ids[0], None)
    ]
    demo.run(f'{_CONTEXT} unset {ids[0]} --tag')
    assert contexts.show(demo, ids[0])['tag'] is None
    complaint = demo.is_refused(f'{_CONTEXT} delete zap zip {ids[0]}')
    assert '1 of 3 device contexts failed to delete' in complaint
    assert contexts.every(demo) == []


def test_what_was_typed_is_what_is_named(demo: person.Person) -> None:
    complaint = demo.is_refused(f'{_CONTEXT} list --sort size')
    assert '--sort: must be created_at, updated_at, name or uuid' in complaint
    complaint = demo.is_refused(f"{_CONTEXT} show $'a\\x1b[2J'")
    assert '\x1b' not in complaint
