# SPDX-License-Identifier: Apache-2.0


"""What the command lines print, and their help."""

import json
import uuid

import pytest

from tests.e2e import contexts, person, servers

_CONTEXT = 'openstack accelerator device context'


def test_show_in_the_formats_of_the_openstack_client(
    demo: person.Person,
) -> None:
    context_id = contexts.create(demo, name='one')
    server_id = servers.boot_active(demo, context_id)
    shown = demo.show(f'{_CONTEXT} show {context_id}')
    known = contexts.show(demo, context_id)
    # Links are for programs.
    del known['links']
    assert shown == known
    values = demo.run(
        f'{_CONTEXT} show {context_id} -f value -c status -c server_id'
    )
    assert values.split() == ['bound', server_id]
    table = demo.run(f'cyborg device-context-show {context_id}')
    [device] = shown['devices']
    for text in ('bound', server_id, 'compute1', device['slot']):
        assert text in table


def test_list_by_status_and_with_long(demo: person.Person) -> None:
    free = contexts.create(demo, name='free')
    held = contexts.create(demo, name='held', config={'key1': 'val1'})
    server_id = servers.boot_active(demo, held)
    brief = demo.show(f'{_CONTEXT} list --status bound --limit 1')
    assert brief == [
        {
            'uuid': held,
            'name': 'held',
            'status': 'bound',
            'server_id': server_id,
            'host': 'compute1',
        }
    ]
    long = demo.show('cyborg device-context-list --long')
    assert [each['uuid'] for each in long] == [free, held]
    assert long[1]['groups'][0]['config'] == {'key1': 'val1'}
    assert long[1]['devices'][0]['slot']
    names = demo.run(
        'cyborg device-context-list --status available -f value -c name'
    )
    assert names == 'free\n'


def test_set_changes_what_can_be_changed(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    assert (
        demo.run(
            f'{_CONTEXT} set {context_id} --name new '
            "--description 'A new one.' --keep-on-termination"
        )
        == ''
    )
    shown = contexts.show(demo, context_id)
    assert shown['name'] == 'new'
    assert shown['description'] == 'A new one.'
    assert shown['delete_on_termination'] is False


def test_delete_takes_several_and_goes_on(demo: person.Person) -> None:
    ids = [contexts.create(demo) for _n in range(2)]
    unknown = str(uuid.UUID(int=7))
    complaint = demo.is_refused(
        f'{_CONTEXT} delete {ids[0]} {unknown} {ids[1]}'
    )
    assert unknown in complaint
    assert '1 of 3 device contexts failed to delete' in complaint
    assert contexts.every(demo) == []
    ids = [contexts.create(demo) for _n in range(2)]
    assert demo.run(f'cyborg device-context-delete {" ".join(ids)}') == ''
    assert contexts.every(demo) == []


def test_other_machine_formats(demo: person.Person) -> None:
    context_id = contexts.create(demo, name='one')
    csv = demo.run('cyborg device-context-list -f csv -c uuid -c name')
    assert csv.split() == ['"uuid","name"', f'"{context_id}","one"']
    made = demo.run(
        f'{_CONTEXT} create --resources FPGA:1 -f json -c status -c groups'
    )
    assert json.loads(made)['status'] == 'available'


@pytest.mark.parametrize(
    'command', ['openstack server create --help', 'nova help boot']
)
def test_help_of_others_has_an_example(
    demo: person.Person, command: str
) -> None:
    text = demo.run(command)
    assert 'device' in text.partition('xample')[2].lower()
