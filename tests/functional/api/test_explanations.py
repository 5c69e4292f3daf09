# SPDX-License-Identifier: Apache-2.0

"""Why no host has what is asked for, and who is told how much."""

import pytest
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg import exception
from nova_cyborg.db import tables
from nova_cyborg.db.limits import limits
from nova_cyborg.db.offers import units
from nova_cyborg.explaining import search, sentences
from nova_cyborg.lifecycle.limits import keystone
from tests.functional.api import cyborg

FLAVOR = {'vcpus': 1, 'ram': 512, 'disk': 1, 'ephemeral': 0, 'swap': 0}
INTERNAL = 'http://placement.internal:8778/resource_classes'
USED = 'All units of FPGA are used: '


@pytest.fixture(autouse=True)
def _placement(placement):
    return placement


@pytest.fixture
def context_id(cloud, member):
    cloud.add_device()
    return member.create_one(resources={'FPGA': 1})


def sentence(response):
    return response.json['sentence']


def test_a_host_has_it(member, context_id):
    found = member.explain(context_id, flavor=FLAVOR).json

    assert (found['fits'], found['sentence']) == (True, sentences.FITS)
    assert found['requirements'][0] == {
        'requirement': 'group 0: a device of class FPGA is free',
        'kind': 'resource_class',
        'name': 'FPGA',
        'met': True,
    }
    assert [each['kind'] for each in found['requirements']] == [
        'resource_class',
        *['flavor_resource'] * 3,
        'host_able',
        'host_enabled',
    ]


def test_numbers_are_for_administrators(member, admin, context_id):
    shown = admin.explain(context_id).json['requirements']

    assert {each['hosts'] for each in shown} == {1}
    assert {each['more'] for each in shown} == {False}
    for each in member.explain(context_id).json['requirements']:
        assert 'hosts' not in each


def test_nothing_is_told_of_the_cloud(placement, member, context_id):
    placement.candidates = []

    text = member.explain(context_id, flavor=FLAVOR).text

    assert 'compute1' not in text
    assert 'host"' not in text


def test_nothing_is_changed(cloud, member, context_id):
    before = member.show(context_id).json

    member.explain(context_id, flavor=FLAVOR)
    member.explain(resources={'FPGA': 1})

    assert member.show(context_id).json == before
    assert cloud.count(tables.DeviceContext) == 1
    assert cloud.count(models.ExtArq) == 0


def test_all_are_used(placement, boot, cloud, member):
    boot(cloud.add_device(slots=1), resources={'FPGA': 1})
    placement.candidates = []

    found = member.explain(resources={'FPGA': 1})

    assert sentence(found).startswith(USED)


def test_all_are_in_maintenance(placement, cloud, member, admin, context_id):
    placement.candidates = []
    (device,) = admin.get('/v2/devices').json['devices']
    admin.post(f'/v2/devices/{device["uuid"]}/disable', {})

    found = member.explain(context_id)

    assert 'in maintenance' in sentence(found)


def test_units_of_devices(cloud, placement, boot, admin):
    foo = cloud.add_device(slots=1, traits=['CUSTOM_FOO'])
    (device,) = admin.get('/v2/devices').json['devices']
    boot(foo, resources={'FPGA': 1})
    admin.post(f'/v2/devices/{device["uuid"]}/disable', {})
    cloud.add_device(slots=3, traits=['CUSTOM_FOO', 'CUSTOM_BAR'])
    cloud.database.set_missing(cloud.add_device(slots=2))
    cloud.add_device(resource_class='PGPU')
    context = cyborg_context.get_admin_context()

    def count(classes, traits=()):
        with cloud.statements() as sent:
            found = units.count(context, classes, traits)
        assert len(sent) == 1
        return found

    assert count(['FPGA']) == sentences.Units(
        total=6, maintained=1, used=1, free=3, most=3
    )
    assert count(['FPGA'], ['CUSTOM_FOO']).total == 4
    assert count(['FPGA'], ['CUSTOM_FOO', 'CUSTOM_BAR']).total == 3
    assert count(['FPGA', 'PGPU']) == sentences.Units()


def test_two_classes_in_one_group(cloud, placement, member):
    for name in ('FPGA', 'PGPU'):
        cloud.add_device(resource_class=name)
    placement.classes.add('PGPU')
    placement.candidates = []

    found = member.explain(resources={'FPGA': 1, 'PGPU': 1})

    assert 'No one device is of the classes FPGA and PGPU' in sentence(found)


def test_what_is_refused_before_placement_is_asked(cloud, placement, member):
    cloud.config.config(group='nova_cyborg', allowed_resource_classes=['PGPU'])
    found = member.explain(resources={'FPGA': 1})

    assert 'which no accelerator of this cloud has' in sentence(found)
    assert found.json['requirements'] == []
    assert placement.calls == []
    assert 'Device context (not made yet) asks for FPGA' in sentence(found)


@pytest.mark.parametrize('name', ['NONESUCH', 'PGPU'])
def test_a_class_that_no_device_is_of(
    cloud, placement, member, context_id, name
):
    cloud.config.config(group='nova_cyborg', allowed_resource_classes=[])
    # Of devices that are not Cyborg's.
    placement.classes.add('PGPU')

    found = member.explain(resources={name: 1}, flavor=FLAVOR).json

    assert not found['fits']
    assert found['sentence'].startswith('No device of this cloud is of class ')
    assert found['requirements'][0]['met'] is False
    assert len(found['requirements']) > 1


def test_too_many_ways_are_not_looked_into(cloud, placement, member):
    for _n in range(12):
        cloud.add_device()

    found = member.explain(groups=[{'resources': {'FPGA': 1}}] * 5)

    assert 'so many ways' in sentence(found)
    assert placement.calls == []


def flavor_of(**specs):
    return {**FLAVOR, 'extra_specs': specs}


def numbered(count, name):
    return {f'resources{number}:{name}': '1' for number in range(count)}


@pytest.mark.parametrize(
    'specs',
    [
        # Of what is Cyborg's, as many ways as there are.
        {**numbered(3, 'FPGA'), 'resources:FPGA': '1'},
        # Of what is not, nobody knows how many there are.
        numbered(5, 'VGPU'),
        {f'resources:CUSTOM_{number}': '1' for number in range(5)},
        {
            **numbered(2, 'FPGA'),
            'resources8:VGPU': '1',
            'resources9:VGPU': '1',
        },
        # Nothing to choose, but a lot to read.
        numbered(100, 'VCPU'),
        numbered(100, 'FPGA'),
    ],
)
def test_too_many_ways_for_a_flavor(cloud, placement, member, specs):
    for _n in range(14):
        cloud.add_device()

    found = member.explain(resources={'FPGA': 1}, flavor=flavor_of(**specs))

    assert 'so many ways' in sentence(found)
    assert placement.calls == []


def test_too_many_ways_for_a_part_of_what_is_asked_for(
    cloud, placement, member
):
    for _n in range(14):
        cloud.add_device(slots=2)
    groups = [{'resources': {'FPGA': 1}}] * 4
    # No device has as many: all the same, Placement is asked for one first.
    groups.append({'resources': {'FPGA': 3}})

    found = member.explain(groups=groups)

    assert 'so many ways' in sentence(found)
    assert placement.calls == []


def test_a_flavor_with_groups_of_its_own(cloud, placement, member):
    for _n in range(14):
        cloud.add_device()
    specs = {**numbered(1, 'FPGA'), 'resources:VGPU': '1'}
    placement.classes.add('VGPU')

    found = member.explain(resources={'FPGA': 1}, flavor=flavor_of(**specs))

    assert sentence(found) == sentences.FITS


@pytest.mark.parametrize(
    ('specs', 'image', 'field'),
    [
        (
            {'trait:COMPUTE_NODE': 'required', 'resources1:VGPU': '0'},
            {},
            'flavor.extra_specs.resources1:VGPU',
        ),
        (
            {'trait:COMPUTE_NODE': 'forbidden'},
            {'trait:COMPUTE_NODE': 'required'},
            'image.trait:COMPUTE_NODE',
        ),
        (
            {'trait1:COMPUTE_NODE': 'required'},
            {},
            'flavor.extra_specs.trait1:COMPUTE_NODE',
        ),
        (
            {'resources3:VCPU': '0'},
            {},
            'flavor.extra_specs.resources3:VCPU',
        ),
        (
            {'resources3:VCPU': '9' * 40},
            {},
            'flavor.extra_specs.resources3:VCPU',
        ),
        (
            {'resources:VCPU': '9' * 40},
            {},
            'flavor.extra_specs.resources:VCPU',
        ),
    ],
)
def test_what_placement_takes_for_a_mistake(
    placement, member, context_id, specs, image, field
):
    error = cyborg.error_of(
        member.explain(
            context_id, flavor=flavor_of(**specs), image=image, status=400
        )
    )

    assert error['code'] == 'nova_cyborg.invalid_request'
    assert field in error['detail']
    assert placement.calls == []


@pytest.mark.parametrize(
    ('flavor', 'image', 'field'),
    [
        (
            {'extra_specs': {'trait:COMPUTE_NODE': 'required'}},
            {},
            'flavor.extra_specs.trait:COMPUTE_NODE',
        ),
        (
            {'vcpus': 0},
            {'trait:COMPUTE_NODE': 'required'},
            'image.trait:COMPUTE_NODE',
        ),
    ],
)
def test_a_trait_of_no_resources(member, context_id, flavor, image, field):
    error = cyborg.error_of(
        member.explain(context_id, flavor=flavor, image=image, status=400)
    )

    assert field in error['detail']


@pytest.mark.parametrize(
    ('image', 'fits'),
    [
        ({'trait:NOSUCH': 'required'}, False),
        ({'trait:NOSUCH': 'forbidden'}, True),
        ({'trait:HW_CPU_X86_AVX': 'required', 'os': 'x'}, True),
    ],
)
def test_an_image_without_a_flavor(placement, member, context_id, image, fits):
    placement.known.add('HW_CPU_X86_AVX')

    found = member.explain(context_id, image=image).json

    assert found['fits'] == fits
    if 'os' in image:
        assert 'HW_CPU_X86_AVX' in placement.calls[-1][1]


def test_an_image_forbids_nothing(member, context_id):
    # Neither what the flavor requires, nor what Nova does.
    image = {
        'trait:COMPUTE_ACCELERATORS': 'forbidden',
        'trait:COMPUTE_NODE': 'forbidden',
    }
    flavor = flavor_of(**{'trait:COMPUTE_NODE': 'required'})

    for body in ({'image': image}, {'image': image, 'flavor': flavor}):
        found = member.explain(context_id, **body).json
        assert [each.split()[2] for each in found['warnings']] == [*image]


@pytest.mark.parametrize(
    ('specs', 'fits'),
    [
        ({'resources1:CUSTOM_NOSUCH': '1'}, False),
        ({'resources1:VCPU': '1', 'trait1:NOSUCH': 'required'}, False),
        ({'resources1:VCPU': '1', 'trait1:NOSUCH': 'forbidden'}, True),
        ({'resources:CUSTOM_NOSUCH': '1'}, False),
        ({'trait:NOSUCH': 'required'}, False),
        ({'trait:NOSUCH': 'forbidden'}, True),
    ],
)
def test_what_a_flavor_asks_for_and_nothing_has(
    member, context_id, specs, fits
):
    found = member.explain(context_id, flavor=flavor_of(**specs)).json

    assert found['fits'] == fits
    assert (False in [each['met'] for each in found['requirements']]) != fits


def test_what_nova_ignores_is_told(placement, member, context_id):
    specs = {
        'resources:VCPU': '-1',
        'resources1:VGPU': 'two',
        'resources:NOSUCH': '1',
        'trait:CUSTOM_NOSUCH': 'maybe',
        'resources:DISK_GB': ' 0 ',
    }

    found = member.explain(context_id, flavor=flavor_of(**specs)).json

    assert found['fits'] is True
    assert found['warnings'] == [
        'Nova ignores resources:VCPU of the flavor: "-1" is no whole number '
        'from 0 on.',
        'Nova ignores resources1:VGPU of the flavor: "two" is no whole number '
        'from 0 on.',
        'Nova ignores resources:NOSUCH of the flavor: it names no resource '
        'class, standard or custom.',
        'Nova ignores trait:CUSTOM_NOSUCH of the flavor: "maybe" is not '
        'required or forbidden.',
    ]
    names = [each['name'] for each in found['requirements']]
    assert 'VCPU' in names
    assert 'DISK_GB' not in names
    assert member.explain(context_id, flavor=FLAVOR).json['warnings'] == []
    # What is sent is bounded, and so is what is repeated of each.
    specs = {f'resources:{"A" * 240}': '1', 'resources:VCPU': 'x' * 255}
    found = member.explain(context_id, flavor=flavor_of(**specs)).json
    assert max(map(len, found['warnings'])) < 400


def test_the_device_profile_of_a_flavor(placement, admin, member, context_id):
    profile = {'name': 'zip', 'groups': [{'resources:FPGA': '1'}]}
    admin.post('/v2/device_profiles', [profile])
    specs = {'accel:device_profile': 'zip'}

    found = member.explain(context_id, flavor={**FLAVOR, 'extra_specs': specs})

    assert 'other' in [each['kind'] for each in found.json['requirements']]
    assert 'resources_P0=FPGA%3A1' in placement.calls[-1][1]


def test_the_flavor_names_a_device_profile_that_there_is_not(
    placement, member, context_id
):
    specs = {'accel:device_profile': 'nonesuch'}

    found = member.explain(context_id, flavor=flavor_of(**specs))

    assert found.json['fits'] is False
    assert sentence(found) == (
        'The flavor names device profile nonesuch, which there is not, so '
        'that no server can be booted with it: choose another flavor, or ask '
        'the administrator.'
    )
    assert placement.calls == []


class TestLimits:
    @pytest.fixture(autouse=True)
    def most(self, cloud, monkeypatch):
        cloud.config.config(group='nova_cyborg', enforce_limits=True)
        found = {'class:FPGA': 1}
        monkeypatch.setattr(
            keystone,
            'of_project',
            lambda project_id: limits.Limits(project_id, found),
        )
        return found

    def test_the_project_may_not_have_more(
        self, placement, cloud, boot, member
    ):
        boot(cloud.add_device(), resources={'FPGA': 1})
        before = len(placement.calls)

        found = member.explain(resources={'FPGA': 1})

        assert found.json['fits'] is False
        assert sentence(found).startswith(
            'The project may have 1 of class:FPGA and has 1; 1 more would be '
            'too many.'
        )
        assert len(placement.calls) == before

    def test_it_may_have_it(self, member, context_id):
        assert member.explain(context_id).json['fits']

    def test_what_a_server_holds_is_not_counted_twice(
        self, cloud, boot, member
    ):
        _server, uuid = boot(cloud.add_device(), resources={'FPGA': 1})

        assert member.explain(uuid).json['fits']

    def test_keystone_does_not_say(
        self, placement, monkeypatch, member, context_id
    ):
        def fail(_project_id):
            raise exception.LimitsUnknown(service='a', options='b')

        monkeypatch.setattr(keystone, 'of_project', fail)

        found = member.explain(context_id)

        assert found.json['fits'] is None
        assert sentence(found).startswith('Keystone does not say')
        assert placement.calls == []


@pytest.mark.parametrize('devices', [1, 30])
def test_as_many_questions_for_any_number(
    cloud, placement, member, admin, devices
):
    for _n in range(devices):
        cloud.add_device()
    placement.candidates = []
    group = {'resources': {'FPGA': 1}}

    with cloud.statements() as sent:
        member.explain(resources={'FPGA': 1}, flavor=FLAVOR)
    asked = len(placement.calls)
    admin.explain(groups=[group] * 2, flavor=FLAVOR)

    assert len(sent) <= 6
    assert asked <= search.MAX_QUESTIONS
    assert len(placement.calls) - asked <= search.MAX_QUESTIONS


def one_of(*names):
    return {'first_available': [{'resources': {each: 1}} for each in names]}


class TestAlternatives:
    def test_a_host_has_one(self, member):
        found = member.explain(groups=[one_of('NONESUCH', 'FPGA')]).json

        assert found['fits']
        assert found['sentence'] == (
            'A host has all of it free, with alternative 1 of group 0.'
        )
        assert found['requirements'][-1] == {
            'requirement': 'or all of it with the first alternatives',
            'kind': 'alternatives',
            'name': '',
            'met': False,
        }

    def test_no_host_has_any(self, placement, boot, cloud, member):
        boot(cloud.add_device(slots=1), resources={'FPGA': 1})
        placement.candidates = []

        found = member.explain(groups=[one_of('FPGA', 'NONESUCH')]).json

        assert not found['fits']
        assert found['sentence'].startswith(USED)
        assert found['sentence'].endswith(sentences.NO_OTHER)

    @pytest.mark.parametrize('groups', [1, 4])
    def test_as_many_questions_as_ever(self, placement, member, admin, groups):
        placement.classes |= {'PGPU', 'VGPU'}
        placement.candidates = []
        wanted = [one_of('FPGA', 'PGPU')] * groups

        for caller in (member, admin):
            before = len(placement.calls)
            found = caller.explain(groups=wanted, flavor=FLAVOR).json
            assert len(placement.calls) - before <= search.MAX_QUESTIONS
            rows = found['requirements']
            others = [each for each in rows if each['kind'] == 'alternatives']
            assert len(others) == 2**groups - 1

    def test_those_of_a_device_context_that_is_made(self, member, context_id):
        uuid = member.create(groups=[one_of('NONESUCH', 'FPGA')]).json['uuid']

        assert 'alternative 1 of group 0' in sentence(member.explain(uuid))


@pytest.mark.parametrize(
    ('failure', 'words'),
    [
        (
            ks_exc.ConnectFailure(f'Unable to connect to {INTERNAL}: refused'),
            'it does not answer',
        ),
        (
            ks_exc.SSLError(f'SSL exception connecting to {INTERNAL}'),
            'it does not answer',
        ),
        (
            ks_exc.EndpointNotFound(f'internal endpoint of {INTERNAL}'),
            'it could not be reached (EndpointNotFound)',
        ),
    ],
)
def test_placement_cannot_be_reached(
    placement, monkeypatch, caplog, member, context_id, failure, words
):
    def get(_url, version):
        raise failure

    monkeypatch.setattr(placement, 'get', get)

    error = cyborg.error_of(member.explain(context_id, status=502))

    assert error['detail'] == (
        f'Placement cannot be asked: {words}. Try again later, or tell the '
        'administrator. Operators: the log says why; check Placement, '
        'Keystone, and [placement] in cyborg.conf.'
    )
    logged = [each for each in caplog.records if INTERNAL in each.getMessage()]
    assert len(logged) == 1
    assert error['request_id'] in logged[0].getMessage()


def test_placement_does_not_answer(placement, member, context_id):
    placement.status_code = 503

    error = cyborg.error_of(member.explain(context_id, status=502))

    assert error['code'] == 'nova_cyborg.placement_failed'


@pytest.mark.parametrize(
    ('body', 'field'),
    [
        ({'flavor': {'ram': 'much'}}, 'flavor.ram'),
        ({'flavor': {'size': 1}}, 'flavor.size:'),
        ({'flavor': {'disk': 1, 'zzz': 2}}, 'flavor.zzz:'),
        ({'flavor': {'extra_specs': {'a': 1}}}, 'flavor.extra_specs.a'),
        ({'flavor': {'ram': 2**31}}, 'flavor.ram: must be at most 2147483647'),
        ({'image': []}, 'image'),
        ({'name': 'zip'}, 'name'),
    ],
)
def test_bad_input(member, context_id, body, field):
    error = cyborg.error_of(member.explain(context_id, status=400, **body))

    assert field in error['detail']


@pytest.mark.parametrize('name', ['\ud800', '\n', 'x' * 256])
@pytest.mark.parametrize('prefix', ['resources:', 'trait:', ''])
def test_what_is_the_name_of_no_extra_spec(
    placement, member, context_id, prefix, name
):
    specs = {prefix + name: '1' if prefix == 'resources:' else 'required'}

    for body, field in (
        ({'flavor': flavor_of(**specs)}, 'flavor.extra_specs: must be'),
        ({'image': specs}, 'image: must be'),
    ):
        error = cyborg.error_of(member.explain(context_id, status=400, **body))
        assert error['code'] == 'nova_cyborg.invalid_request'
        assert field in error['detail']
    assert placement.calls == []


@pytest.mark.parametrize('name', ['A,B', 'A:1,B', 'a b', 'Ä', '&c=d', ''])
def test_what_is_the_name_of_no_trait_and_no_class(
    placement, member, context_id, name
):
    for specs in (
        {f'resources:CUSTOM_{name}': '1'},
        {f'trait:{name}': 'required'},
    ):
        found = member.explain(context_id, flavor=flavor_of(**specs))
        assert found.json['fits'] is False
        found = member.explain(context_id, image=specs)


def test_what_nova_asks_for_is_recorded(placement, cloud, member, nova, boot):
    server_id, uuid = boot(resources={'FPGA': 1})
    placement.candidates = []
    cloud.add_device()
    name = f'device_context_{uuid}_0'
    query = f'resources{name}=FPGA:1&resources=VCPU:1'
    path = f'/v2/device_allocations/{server_id}/explain'

    said = sentence(nova.post(path, {'query': query}))

    assert said == member.show(uuid).json['fault']
    assert member.status_of(uuid) == 'reserved'
    nova.release(server_id)
    assert member.show(uuid).json['fault'] == said
    nova.reserve(cloud.nova.boot(), uuid)
    assert member.show(uuid).json['fault'] is None


@pytest.mark.parametrize(
    'query',
    [
        'resources=VCPU',
        'resources=VCPU:',
        'resources=VCPU:much',
        'resources=VCPU:0',
        'resources=VCPU:-1',
        'resources=:1',
        f'resources=VCPU:{"9" * 5000}',
        'resourcesdevice_context_{}_0=FPGA',
        'resources=VCPU:1&resources_port=NET_BW_EGR_KILOBIT_PER_SEC',
        'required=COMPUTE_NODE',
        'what',
    ],
)
def test_a_query_that_cannot_be_read(member, nova, boot, query):
    server_id, uuid = boot(resources={'FPGA': 1})
    path = f'/v2/device_allocations/{server_id}/explain'

    response = nova.post(path, {'query': query.format(uuid)}, status=400)

    error = cyborg.error_of(response)
    assert error['code'] == 'nova_cyborg.invalid_request'
    assert 'query' in error['detail']
    assert member.show(uuid).json['fault'] is None


def test_nova_has_found_a_host_too_few(member, nova, boot):
    server_id, uuid = boot(resources={'FPGA': 1})
    path = f'/v2/device_allocations/{server_id}/explain'
    body = {'query': f'resourcesdevice_context_{uuid}_0=FPGA:1'}

    assert sentence(nova.post(path, body)) == sentences.REFUSED
    body['leaves_host'] = True
    assert sentence(nova.post(path, body)) == sentences.LEFT
    body['names_host'] = True
    assert sentence(nova.post(path, body)) == sentences.NAMED
    nova.begin(server_id, operation='unshelve', caller=cyborg.UNKNOWN)
    assert member.show(uuid).json['fault'] is None


def test_a_server_without_device_contexts(nova):
    nova.post(
        f'/v2/device_allocations/{cyborg.UNKNOWN}/explain',
        {'query': 'resources=VCPU:1'},
        status=404,
    )
