# SPDX-License-Identifier: Apache-2.0

"""Why there is no host: the client, the context and the server say the same.

What else can be the reason is in tests/functional/nova/explaining.
"""

import contextlib
import typing as ty

from tests.e2e import contexts, person, servers

_CONTEXT = 'accelerator device context'
_NO_HOST = 'No valid host was found. '
_NO_CLASS = (
    'No device of this cloud is of class CUSTOM_NONESUCH: ask for a class '
    'that "device context options" lists.'
)
# MiB: more than a host of the embedded cloud has.
_MUCH = 20_000_000
_HUGE, _ODD = 'huge', 'odd'
_FITS = 'A host has all of it free.'
_FITS_OTHERWISE = 'A host has all of it free, with alternative 1 of group 0.'
# The only host with a class of its own.
_DISABLED, _ITS_CLASS = 'compute2', 'QAT'

# By case: what is asked for, the flavor, and what is said.
_CASES: dict[str, tuple[dict[str, ty.Any], str, str]] = {
    # A boot with this class and nothing else is refused before.
    'the class does not exist': (
        {
            'groups': [
                {
                    'first_available': [
                        {'resources': {'NONESUCH': 1}},
                        {'resources': {'FPGA': 3}},
                    ]
                }
            ]
        },
        'm1.small',
        f'{_NO_CLASS} None of the alternatives fits either.',
    ),
    'nobody offers the trait': (
        {'resources': {'FPGA': 1}, 'required': ['NONESUCH']},
        'm1.small',
        'No device of this cloud has trait CUSTOM_NONESUCH: leave it out, or '
        'ask for one that "device context options" lists.',
    ),
    'the trait is on devices of another class': (
        {'resources': {'FPGA': 1}, 'required': ['SOME_FOO_CAPABILITY']},
        'm1.small',
        'No device of class FPGA has trait CUSTOM_SOME_FOO_CAPABILITY: ask '
        'for another class, or leave the trait out.',
    ),
    'all units are used': (
        {'resources': {'VGPU': 1}},
        'm1.small',
        'All units of VGPU are used: wait until one is free, or ask for '
        'another class.',
    ),
    'no single host has all groups': (
        {
            'groups': [
                {'resources': {'FPGA_GZIP': 1}},
                {'resources': {_ITS_CLASS: 1}},
            ]
        },
        'm1.small',
        'Group 1: it is free somewhere, but no single host has all groups: '
        'leave it out, or boot another server with it.',
    ),
    'the memory of the flavor': (
        {'resources': {'FPGA_GZIP': 1}},
        _HUGE,
        f'No host that has the devices free has {_MUCH} MB of memory free: '
        'choose a smaller flavor.',
    ),
    'the host is disabled': (
        {'resources': {_ITS_CLASS: 1}},
        'm1.small',
        'The hosts that have all of it free are disabled: wait until one is '
        'enabled, or ask the administrator.',
    ),
}


def _make_flavor(
    demo: person.Person, admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    quotas = f'/os-quota-sets/{demo.session.get_project_id()}'
    afterwards.callback(admin.compute.delete, quotas)
    admin.compute.put(quotas, json={'quota_set': {'ram': -1}})
    flavor = {'name': _HUGE, 'vcpus': 1, 'ram': _MUCH, 'disk': 1}
    made = admin.compute.post('/flavors', json={'flavor': flavor}).json()
    afterwards.callback(
        admin.compute.delete, f'/flavors/{made["flavor"]["id"]}'
    )


def _make_odd_flavor(
    admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    """Make a flavor with an amount that Nova lets pass, and then ignores."""
    flavor = {'name': _ODD, 'vcpus': 1, 'ram': 512, 'disk': 1}
    made = admin.compute.post('/flavors', json={'flavor': flavor}).json()
    path = f'/flavors/{made["flavor"]["id"]}'
    afterwards.callback(admin.compute.delete, path)
    specs = {'resources:CUSTOM_NONESUCH': '-1'}
    admin.compute.post(f'{path}/os-extra_specs', json={'extra_specs': specs})


def _disable_host(
    admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    query = f'host={_DISABLED}&binary=nova-compute'
    found = admin.compute.get(f'/os-services?{query}').json()
    [service] = found['services']
    path = f'/os-services/{service["id"]}'
    afterwards.callback(admin.compute.put, path, json={'status': 'enabled'})
    admin.compute.put(path, json={'status': 'disabled'})


def _explained(
    owner: person.Person, context_ids: dict[str, str]
) -> dict[str, str]:
    printed = owner.type_in(
        f'{_CONTEXT} explain --flavor {_CASES[case][1]} {context_id}'
        for case, context_id in context_ids.items()
    )
    return dict(zip(context_ids, _sentences(printed), strict=True))


def _sentences(printed: str) -> list[str]:
    # Below each sentence is a table.
    return [
        line
        for line in printed.splitlines()
        if line and not line.startswith(('+', '|'))
    ]


def test_a_class_that_does_not_exist(demo: person.Person) -> None:
    context_id = contexts.create(demo, resources={'NONESUCH': 1})
    said = demo.run(f'cyborg device-context-explain {context_id}')
    assert said.splitlines()[0] == _NO_CLASS
    complaint = demo.is_refused(
        'nova boot --image cirros --flavor m1.small --nic none '
        f'--device-context-id {context_id} refused'
    )
    assert 'asks for CUSTOM_NONESUCH, which no accelerator' in complaint
    assert servers.every(demo) == []
    assert contexts.show(demo, context_id)['fault'] is None


def test_what_is_not_made_yet(
    demo: person.Person, admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    either = '--resources VGPU:3 --or resources=QAT:1'
    made = contexts.create(demo, name='gzip')
    printed = demo.type_in(
        [
            f'{_CONTEXT} explain gzip --flavor m1.small --image cirros',
            f'{_CONTEXT} explain {either} --image cirros',
            f'{_CONTEXT} explain --resources NONESUCH:1',
        ]
    )
    assert _sentences(printed) == [_FITS, _FITS_OTHERWISE, _NO_CLASS]
    printed = demo.run(f'cyborg device-context-explain {either}')
    assert _sentences(printed) == [_FITS_OTHERWISE]
    assert [each['uuid'] for each in contexts.every(demo)] == [made]

    _make_odd_flavor(admin, afterwards)
    done = demo.try_to(f'openstack {_CONTEXT} explain gzip --flavor {_ODD}')
    assert (done.code, _sentences(done.out)) == (0, [_FITS]), done
    assert done.err == (
        'Nova ignores resources:CUSTOM_NONESUCH of the flavor: "-1" is no '
        'whole number from 0 on.\n'
    )
    # It does.
    servers.wait_active(demo, servers.boot(demo, made, flavor=_ODD))


def test_each_says_the_same(
    demo: person.Person, admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    _make_flavor(demo, admin, afterwards)
    _disable_host(admin, afterwards)
    # It has all units.
    servers.boot_active(demo, contexts.create(demo, resources={'VGPU': 2}))
    context_ids = {
        case: contexts.create(demo, **asked)
        for case, (asked, _flavor, _sentence) in _CASES.items()
    }
    server_ids = {
        case: servers.boot(demo, context_ids[case], flavor=flavor)
        for case, (_asked, flavor, _sentence) in _CASES.items()
    }
    for server_id in server_ids.values():
        servers.wait_fault(demo, server_id)

    said = {case: sentence for case, (_a, _f, sentence) in _CASES.items()}
    assert _explained(demo, context_ids) == said
    shown = demo.show_each(
        [
            *(f'{_CONTEXT} show {each}' for each in context_ids.values()),
            *(f'server show {each}' for each in server_ids.values()),
        ]
    )
    faults = [each['fault'] for each in shown]
    assert dict(zip(said, faults, strict=False)) == said
    of_servers = [each['message'] for each in faults[len(said) :]]
    assert dict(zip(said, of_servers, strict=True)) == {
        case: _NO_HOST + sentence for case, sentence in said.items()
    }
