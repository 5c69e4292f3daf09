# SPDX-License-Identifier: Apache-2.0

"""What there is, how much, and what became of it, as the clients tell it."""

from tests.e2e import contexts, person, servers

_CONTEXT = 'accelerator device context'
_LIST = f'{_CONTEXT} list'
_LIMIT = 'device_contexts'


def _names(rows: list[dict[str, str]]) -> list[str]:
    return [each['name'] for each in rows]


def test_what_can_be_asked_for_and_how_much(
    demo: person.Person, admin: person.Person
) -> None:
    options, limits = demo.show_each(
        [f'{_CONTEXT} options', f'{_CONTEXT} limits']
    )
    assert demo.show('cyborg device-context-options') == options
    found = {each['resource_class']: each for each in options}
    assert found.keys() >= {'CUSTOM_FPGA_GZIP', 'CUSTOM_QAT', 'FPGA', 'VGPU'}
    crypto = found['CUSTOM_QAT']
    assert 'CUSTOM_SOME_CRYPTO_CAPABILITY' in crypto['traits']
    assert crypto['available'] == 'some'
    # How many there are is for administrators.
    assert 'units_total' not in crypto
    [counted] = [
        each
        for each in admin.show('cyborg device-context-options')
        if each['resource_class'] == 'CUSTOM_QAT'
    ]
    assert (counted['units_total'], counted['units_free']) == (4, 4)

    [before] = [each for each in limits if each['resource_name'] == _LIMIT]
    assert before['limit'] > 0
    contexts.create(demo)
    [after] = [
        each
        for each in demo.show('cyborg device-context-limits')
        if each['resource_name'] == _LIMIT
    ]
    assert after == before | {'used': before['used'] + 1}


def test_openstack(demo: person.Person) -> None:
    create = f'{_CONTEXT} create --resources'
    two, _plain, *lists = demo.show_each(
        [
            f'{create} QAT:1 --count 2 --name crypto --tags prod,team-a',
            f'{create} QAT:1 --name plain',
            f'{create} VGPU:3 --or resources=QAT:1 --name either --tags prod',
            f'{_LIST} --tags prod,team-a',
            f'{_LIST} --any-tags prod,team-a',
            f'{_LIST} --not-tags prod,team-a',
            f'{_LIST} --not-any-tags prod,team-a',
        ]
    )
    either, *found = lists
    assert two['name'] == ['crypto-1', 'crypto-2']
    assert two['tags'] == ['prod', 'team-a']
    assert [_names(each) for each in found] == [
        ['crypto-1', 'crypto-2'],
        ['crypto-1', 'crypto-2', 'either'],
        ['plain', 'either'],
        ['plain'],
    ]
    servers.boot_active(demo, either['uuid'])
    demo.type_in(
        [
            f'{_CONTEXT} set crypto-1 --tags later',
            f'{_CONTEXT} unset crypto-2 --tags team-a',
        ]
    )
    shown, happened, later, prod = demo.show_each(
        [
            f'{_CONTEXT} show either',
            f'{_CONTEXT} event list either',
            f'{_LIST} --tags later',
            f'{_LIST} --tags prod --not-any-tags team-a',
        ]
    )
    # Nothing has three VGPUs.
    assert shown['groups'][0]['chosen'] == 1
    [device] = shown['devices']
    assert (device['host'], device['alternative']) == ('compute2', 1)
    actions = [each['action'] for each in reversed(happened)]
    assert actions == ['create', 'reserve', 'bind'], happened
    assert _names(later) == ['crypto-1']
    assert _names(prod) == ['crypto-2', 'either']


def test_cyborg(demo: person.Person) -> None:
    made = demo.run(
        'cyborg device-context-create --resources VGPU:3 '
        '--or resources=QAT:1 --count 2 --tags blue,green'
    ).split()
    assert [each['uuid'] for each in contexts.every(demo)] == made
    first, second = made
    demo.run(f'cyborg device-context-unset {second} --tags blue')
    listed = demo.show('cyborg device-context-list --tags green,blue')
    assert [each['uuid'] for each in listed] == [first]
    happened = demo.show(f'cyborg device-context-event-list {second}')
    assert [(each['action'], each['message']) for each in happened] == [
        ('update', 'tags'),
        ('create', None),
    ]
