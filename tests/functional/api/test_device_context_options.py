# SPDX-License-Identifier: Apache-2.0

"""What device contexts can ask for, and who is told how much is free."""

from nova_cyborg.lifecycle.explaining import zones
from tests.functional.api.conftest import providers, wait_for_status

PATH = '/v2/device_context_options'
NUMBERS = {'units_total', 'units_used', 'units_free'}


def options(caller):
    return caller.get(PATH).json['device_context_options']


def numbers(shown):
    return tuple(
        shown[name] for name in ('units_total', 'units_used', 'units_free')
    )


def test_an_empty_cloud_has_none(member):
    assert options(member) == []


def test_what_there_is(cloud, member):
    cloud.add_device(slots=2, traits=['CUSTOM_FOO'])
    cloud.add_device(host='compute2', slots=2, traits=['CUSTOM_BAR'])
    cloud.add_device(resource_class='PGPU', slots=1)

    fpga, pgpu = options(member)

    assert fpga['resource_class'] == 'FPGA'
    assert fpga['traits'] == ['CUSTOM_BAR', 'CUSTOM_FOO']
    assert fpga['vendor']
    assert fpga['product']
    assert fpga['type']
    assert fpga['available'] == 'some'
    assert (pgpu['resource_class'], pgpu['traits']) == ('PGPU', [])


def test_numbers_are_for_administrators(cloud, member, admin):
    cloud.nova.zones = {'north': ['compute1'], 'nova': ['compute2']}
    cloud.add_device(slots=2)
    cloud.add_device(host='compute2', slots=10)

    (shown,) = options(member)
    (counted,) = options(admin)

    assert not NUMBERS & shown.keys()
    assert shown['available'] == 'many'
    assert shown['availability_zones'] == [
        {'name': 'north', 'available': 'some'},
        {'name': 'nova', 'available': 'many'},
    ]
    assert numbers(counted) == (12, 0, 12)
    north, elsewhere = counted['availability_zones']
    assert numbers(elsewhere) == (10, 0, 10)
    assert numbers(north) == (2, 0, 2)


def test_a_host_that_nova_does_not_know(cloud, member):
    cloud.nova.zones = {'north': ['compute2']}
    cloud.nova.cell_is_down = True
    cloud.add_device()

    (shown,) = options(member)

    assert shown['availability_zones'] == [{'name': None, 'available': 'some'}]


def test_nova_does_not_say_where_hosts_are(cloud, member):
    cloud.add_device()
    cloud.nova.status_code = 500

    (shown,) = options(member)

    assert shown['availability_zones'] is None
    assert shown['available'] == 'some'


def test_what_is_used_is_not_free(cloud, member, nova, admin):
    provider = cloud.add_device(slots=1)
    uuid = member.create_one(resources={'FPGA': 1})
    server_id = cloud.nova.boot()
    nova.reserve(server_id, uuid)
    nova.bind(server_id, providers(provider, uuid))
    wait_for_status(member, uuid, 'bound')

    assert [each['available'] for each in options(member)] == ['none']
    assert numbers(options(admin)[0]) == (1, 1, 0)


def test_what_is_in_maintenance_is_not_free(cloud, placement, admin):
    cloud.add_device(slots=1)
    (device,) = admin.get('/v2/devices').json['devices']
    admin.post(f'/v2/devices/{device["uuid"]}/disable', {})

    assert numbers(options(admin)[0]) == (1, 0, 0)


def test_what_is_tainted_is_not_free(cloud, placement, admin):
    cloud.add_device(slots=1)
    (device,) = admin.get('/v2/devices').json['devices']
    body = {'device_uuid': device['uuid'], 'key': 'sick', 'reason': 'So.'}
    admin.post('/v2/device_taints', body)

    (shown,) = options(admin)

    assert numbers(shown) == (1, 0, 0)
    assert shown['traits'] == []


def test_only_what_may_be_asked_for(cloud, member):
    cloud.add_device()
    cloud.add_device(resource_class='PGPU')
    cloud.config.config(group='nova_cyborg', allowed_resource_classes=['PGPU'])

    assert [each['resource_class'] for each in options(member)] == ['PGPU']


def test_the_cost_is_constant(cloud, member):
    counts = []
    for number in (1, 40):
        zones.forget()
        for n in range(number):
            cloud.add_device(host=f'compute{n}', traits=['CUSTOM_FOO'])
        asked = cloud.nova.requests
        with cloud.statements() as sent:
            assert len(options(member)) == 1
        counts.append((len(sent), cloud.nova.requests - asked))

    assert counts == [(2, 1)] * 2


def test_nova_is_asked_once_however_often_members_do(cloud, member):
    cloud.add_device()
    asked = cloud.nova.requests

    for status_code in (500, 200, 200):
        cloud.nova.status_code = status_code
        assert options(member)[0]['availability_zones'] is None

    assert cloud.nova.requests == asked + 1


def test_what_no_device_has_is_a_warning(cloud, member):
    cloud.add_device(traits=['CUSTOM_FOO'])

    made = member.create(
        groups=[
            {'resources': {'FPGA': 1}, 'required': ['FOO', 'BAR']},
            {'resources': {'NEW': 1}},
        ],
        status=201,
    )

    assert made.json['warnings'] == [
        'No device of this cloud has trait CUSTOM_BAR as yet.',
        'No device of this cloud is of class CUSTOM_NEW as yet.',
    ]
    shown = member.show(made.json['uuid']).json
    assert 'warnings' not in shown
    fine = member.create(resources={'FPGA': 1}, required=['FOO'])
    assert fine.json['warnings'] == []
