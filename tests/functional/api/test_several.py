# SPDX-License-Identifier: Apache-2.0

"""Several device contexts are made at once: all, or none."""

import json

import pytest

from nova_cyborg.api import requests
from nova_cyborg.api.controllers import views
from nova_cyborg.db import tables
from tests.functional.api import cyborg

GROUP = {'resources': {'FPGA_GZIP': 1}}


@pytest.fixture
def create(member):
    """Makes several device contexts."""

    def _create(*bodies, **options):
        return member.create(device_contexts=list(bodies), **options)

    return _create


def named(*names):
    return [{**GROUP, 'name': name} for name in names]


def detail(response):
    error = cyborg.error_of(response)
    assert error['code'] == 'nova_cyborg.invalid_request'
    return error['detail']


class TestAll:
    def test_each_is_as_it_is_shown(self, member, create):
        response = create(
            {'resources': {'FPGA': 1}, 'name': 'zip', 'tag': 'a'},
            {'groups': [GROUP], 'delete_on_termination': False},
            {**GROUP, 'tags': ['x', 'y'], 'live_migration': 'detach'},
            status=201,
        )

        found = response.json['device_contexts']
        assert sorted(response.json) == ['device_contexts', 'warnings']
        assert 'Location' not in response.headers
        assert [each['name'] for each in found] == ['zip', None, None]
        assert [each['delete_on_termination'] for each in found] == [
            True,
            False,
            True,
        ]
        for each in found:
            assert member.show(each['uuid']).json == each
        # In the order in which they were given.
        assert member.list().json['device_contexts'] == found

    def test_of_device_profiles(self, cloud, member, admin, create):
        made = {}
        for number in range(3):
            profile = {
                'name': f'p{number}',
                'groups': [{'resources:FPGA': str(number + 1)}],
            }
            made[number] = admin.post('/v2/device_profiles', [profile]).json

        found = create(
            {'device_profile': 'p2'},
            {'device_profile': made[0]['uuid'].upper()},
            {'device_profile': 'p2'},
        ).json['device_contexts']

        assert [each['groups'][0]['resources'] for each in found] == [
            {'FPGA': 3},
            {'FPGA': 1},
            {'FPGA': 3},
        ]
        assert found[0]['device_profile_id'] == made[2]['uuid']

    def test_a_hundred(self, cloud, create):
        create(*named(*map(str, range(100))), status=201)

        assert cloud.count(tables.DeviceContext) == 100

    def test_a_hundred_that_are_described_at_length(self, cloud, create):
        bodies = [
            {**each, 'description': 'd' * 1024}
            for each in named(*map(str, range(100)))
        ]
        # More than one may have.
        assert len(json.dumps(bodies)) > requests.MAX_BODY_SIZE

        create(*bodies, status=201)

        assert cloud.count(tables.DeviceContext) == 100

    def test_they_cost_what_one_costs(self, cloud, admin, create):
        admin.post(
            '/v2/device_profiles',
            [{'name': 'p0', 'groups': [{'resources:FPGA': '1'}]}],
        )
        admin.post(
            '/v2/device_profiles',
            [{'name': 'p1', 'groups': [{'resources:FPGA': '1'}]}],
        )
        bodies = [
            {'device_profile': f'p{number % 2}', 'tags': [f't{number}']}
            for number in range(60)
        ]
        # The first of a project makes the row that others wait for.
        create(GROUP)
        counted = []
        for number in (1, 60):
            with cloud.statements() as sent:
                create(*bodies[:number])
            counted.append(len(sent))

        assert counted[0] == counted[1]

    def test_they_are_stored_in_one_transaction(self, cloud, create):
        with cloud.transactions() as ended:
            create(*named('a', 'b', 'c'))

        assert ended == ['COMMIT']


class TestNone:
    def test_more_bytes_than_there_may_be(self, cloud, create):
        error = cyborg.error_of(
            create(*named('d' * requests.MAX_SIZE_OF_SEVERAL), status=400)
        )

        assert error['code'] == 'nova_cyborg.request_too_large'
        assert '1048576 bytes' in error['detail']
        assert cloud.count(tables.DeviceContext) == 0

    @pytest.mark.parametrize(
        ('wrong', 'said'),
        [
            (
                {**GROUP, 'name': ''},
                'Invalid device_contexts[1].name: must not be empty.',
            ),
            (
                {**GROUP, 'colour': 'red'},
                'Invalid device_contexts[1].colour: there is no such field.',
            ),
            (
                {'resources': {'VCPU': 1}},
                'Invalid device_contexts[1].resources: VCPU is not',
            ),
            (
                {'groups': [GROUP, {**GROUP, 'required': ['a b']}]},
                'Invalid device_contexts[1].groups[1].required: ',
            ),
            (
                {**GROUP, 'groups': [GROUP]},
                'Invalid device_contexts[1].resources: it cannot be given',
            ),
            (
                {'resources': {'FPGA': 65}},
                'Invalid device_contexts[1].resources: 65 accelerators',
            ),
            ({}, 'Invalid device_contexts[1].resources: at least one'),
            (
                {**GROUP, 'tags': ['a', 'b,c']},
                'Invalid device_contexts[1].tags.1: ',
            ),
            (7, 'Invalid device_contexts[1]: must be of type object.'),
        ],
    )
    def test_one_is_wrong(self, cloud, create, wrong, said):
        response = create(GROUP, wrong, GROUP, status=400)

        assert detail(response).startswith(said)
        assert cloud.count(tables.DeviceContext) == 0

    @pytest.mark.parametrize('count', [0, 101])
    def test_too_few_or_many(self, cloud, create, count):
        response = create(*[GROUP] * count, status=400)

        assert detail(response).startswith('Invalid device_contexts: must')
        assert cloud.count(tables.DeviceContext) == 0

    def test_beside_one(self, member):
        response = member.create(
            device_contexts=[GROUP], name='zip', status=400
        )

        assert detail(response) == 'Invalid name: there is no such field.'

    @pytest.mark.parametrize('given', [None, {}, 'x'])
    def test_what_is_no_list(self, member, given):
        response = member.create(device_contexts=given, status=400)

        assert 'must be of type array' in detail(response)

    def test_a_device_profile_that_there_is_not(self, cloud, create):
        response = create(GROUP, {'device_profile': 'nonesuch'}, status=404)

        assert 'nonesuch' in cyborg.error_of(response)['detail']
        assert cloud.count(tables.DeviceContext) == 0

    def test_more_than_the_project_may_have(self, cloud, member, create):
        cloud.config.config(group='nova_cyborg', max_contexts_per_project=4)
        member.create_one()

        error = cyborg.error_of(create(*[GROUP] * 4, status=403))

        assert error['code'] == 'nova_cyborg.device_context.over_quota'
        assert 'would have 5' in error['detail']
        assert cloud.count(tables.DeviceContext) == 1
        create(*[GROUP] * 3, status=201)

    def test_others_are_made_meanwhile(self, cloud, member, create):
        cloud.config.config(group='nova_cyborg', max_contexts_per_project=4)

        with cloud.before('UPDATE project_locks', member.create_one):
            create(*[GROUP] * 4, status=403)

        assert cloud.count(tables.DeviceContext) == 1
        assert cloud.count(tables.DeviceContextDemand) == 1

    def test_the_groups_of_profiles_are_large(self, cloud, admin, create):
        profile = {
            'name': 'large',
            'groups': [
                {
                    'resources:FPGA': '1',
                    **{f'accel:key{n}': 'v' * 1000 for n in range(3)},
                }
            ]
            * 16,
        }
        admin.post('/v2/device_profiles', [profile])
        one = {'device_profile': 'large'}

        response = create(*[one] * 6, status=400)

        assert str(views.MAX_SIZE) in detail(response)
        assert cloud.count(tables.DeviceContext) == 0
        made = create(*[one] * 5, status=201).json['device_contexts']
        assert len(json.dumps([each['groups'] for each in made])) <= (
            views.MAX_SIZE
        )
