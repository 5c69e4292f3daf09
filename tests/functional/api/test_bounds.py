# SPDX-License-Identifier: Apache-2.0

"""How much a device context, a server and a project may have."""

import pytest
from cyborg.db.sqlalchemy import models

from nova_cyborg import exception
from nova_cyborg.api import app
from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers


@pytest.fixture
def set_option(cloud):
    def _set(**options):
        cloud.config.config(group='nova_cyborg', **options)

    return _set


def fpgas(amount):
    return {'resources': {'FPGA': amount}}


class TestAccelerators:
    @pytest.mark.parametrize(
        'body',
        [
            fpgas(64),
            {'resources': {'FPGA': 32, 'VGPU': 32}},
            {'groups': [fpgas(60), fpgas(4)]},
            # Each of these is two accelerators.
            {'resources': {'FPGA': 32}, 'required': ['FPGA_XILINX']},
        ],
    )
    def test_sixty_four(self, member, body):
        member.create(**body, status=201)

    @pytest.mark.parametrize(
        ('body', 'field', 'count'),
        [
            (fpgas(65), 'resources', 65),
            (fpgas(2**31 - 1), 'resources', 2**31 - 1),
            ({'resources': {'FPGA': 32, 'LICENSE': 33}}, 'resources', 65),
            ({'groups': [fpgas(60), fpgas(5)]}, 'groups', 65),
            (
                {'resources': {'FPGA': 33}, 'required': ['FPGA_XILINX']},
                'resources',
                66,
            ),
        ],
    )
    def test_more(self, cloud, member, body, field, count):
        error = cyborg.error_of(member.create(**body, status=400))

        assert error['code'] == 'nova_cyborg.invalid_request'
        assert error['detail'] == (
            f'Invalid {field}: {count} accelerators are asked for, 64 are '
            'allowed for a server ([nova_cyborg] '
            'max_accelerators_per_server).'
        )
        assert cloud.count(tables.DeviceContext) == 0

    def test_of_a_profile(self, member, admin):
        profile = {
            'name': 'many',
            'groups': [{'resources:FPGA': '40'}, {'resources:FPGA': '25'}],
        }
        admin.post('/v2/device_profiles', [profile])

        error = cyborg.error_of(
            member.create(device_profile='many', status=400)
        )

        assert 'Invalid device_profile: 65 accel' in error['detail']

    def test_the_operators_set_it(self, member, set_option):
        set_option(max_accelerators_per_server=2)

        member.create(**fpgas(2), status=201)
        member.create(**fpgas(3), status=400)

    def test_of_a_server(self, cloud, member, nova):
        uuids = [member.create_one(**fpgas(40)) for _n in range(2)]
        server_id = cloud.nova.boot()

        for call in (
            lambda: nova.check(*uuids, status=400),
            lambda: nova.reserve(server_id, *uuids, status=400),
        ):
            error = cyborg.error_of(call())
            assert error['code'] == (
                'nova_cyborg.device_context.too_many_accelerators'
            )
            assert (
                'have 80 accelerators together; at most 64'
                in (error['detail'])
            )
        assert cloud.count(tables.DeviceAllocation) == 0
        nova.reserve(server_id, uuids[0])

    def test_a_server_that_has_more_is_bound_again(
        self, member, nova, boot, cloud, set_option
    ):
        server_id, uuid_ = boot(**fpgas(4))
        set_option(max_accelerators_per_server=2)
        provider = cloud.add_device(slots=4)

        nova.bind(server_id, providers(provider, uuid_), status=202)
        cloud.drain()

        assert member.status_of(uuid_) == 'bound'


class TestGroupsOfAProfile:
    def test_as_many_as_of_any_other(self, cloud, member, admin):
        for count in (16, 17, 200):
            profile = {
                'name': f'groups-{count}',
                'groups': [{'resources:FPGA': '1'}] * count,
            }
            admin.post('/v2/device_profiles', [profile])

        member.create(device_profile='groups-16', status=201)
        for count in (17, 200):
            error = cyborg.error_of(
                member.create(device_profile=f'groups-{count}', status=400)
            )
            assert error['detail'] == (
                f'Invalid device_profile: {count} groups of profile '
                f'groups-{count} are given, 16 are allowed.'
            )
        assert cloud.count(tables.DeviceContext) == 1


class TestContextsOfAProject:
    def _refused(self, member):
        error = cyborg.error_of(member.create(**fpgas(1), status=403))
        assert error['code'] == 'nova_cyborg.device_context.over_quota'
        return error['detail']

    def test_a_project_is_full(self, member, stranger, set_option):
        set_option(max_contexts_per_project=2)
        uuids = [member.create_one() for _n in range(2)]

        assert 'may have 2 device contexts' in self._refused(member)
        # Others are not concerned,
        stranger.create_one()
        # and there is room again when one is deleted.
        member.delete(uuids[0])
        member.create_one()
        self._refused(member)

    def test_those_that_servers_hold_count(self, member, boot, set_option):
        set_option(max_contexts_per_project=1)
        boot()

        self._refused(member)

    def test_none_and_any_number(self, member, set_option):
        set_option(max_contexts_per_project=0)
        self._refused(member)
        set_option(max_contexts_per_project=-1)
        member.create_one()

    def test_a_project_that_has_more_already(self, member, set_option):
        uuids = [member.create_one() for _n in range(3)]
        set_option(max_contexts_per_project=1)

        self._refused(member)
        member.update(uuids[0], name='zip')
        member.delete(uuids[0])
        self._refused(member)

    def test_two_that_are_made_at_once(self, cloud, member, set_option):
        set_option(max_contexts_per_project=1)

        # Before this one's own transaction begins: then, it is alone.
        with cloud.before('UPDATE project_locks', member.create_one):
            self._refused(member)

        assert cloud.count(tables.DeviceContext) == 1

    def test_it_costs_two_statements(self, cloud, member, set_option):
        # The first of a project makes the row that others wait for.
        member.create_one()
        counted = {}
        for limit in (-1, 1000):
            set_option(max_contexts_per_project=limit)
            with cloud.statements() as sent:
                member.create_one()
            counted[limit] = len(sent)

        assert counted[1000] == counted[-1] + 2


class TestResourceClasses:
    @pytest.fixture(autouse=True)
    def as_by_default(self, set_option):
        set_option(allowed_resource_classes=[])

    @pytest.fixture
    def report(self, cloud):
        """Have a device reported, as an agent does."""

        def _report(name):
            return cloud.add_device(resource_class=name, traits=['CUSTOM_X'])

        return _report

    def _assert_refused(self, cloud, nova, uuid_, *sentences):
        server_id = cloud.nova.boot()
        for call in (
            lambda: nova.check(uuid_, status=400),
            lambda: nova.reserve(server_id, uuid_, status=400),
        ):
            error = cyborg.error_of(call())
            assert error['code'] == (
                'nova_cyborg.device_context.resource_class_not_allowed'
            )
            for sentence in sentences:
                assert sentence in error['detail']
        assert cloud.count(tables.DeviceAllocation) == 0

    def test_what_cyborg_has_may_be_asked_for(
        self, cloud, member, nova, report
    ):
        for _n in range(2):
            report('CUSTOM_QAT')
        report('FPGA')
        # It may be made ahead of the hardware.
        uuid_ = member.create_one(resources={'FPGA': 1, 'LICENSE': 1})
        self._assert_refused(
            cloud,
            nova,
            uuid_,
            f'Device context {uuid_} asks for CUSTOM_LICENSE',
            'There are: CUSTOM_QAT, FPGA.',
        )

        report('CUSTOM_LICENSE')

        nova.check(uuid_)
        nova.reserve(cloud.nova.boot(), uuid_)

    def test_there_is_none(self, cloud, member, nova):
        self._assert_refused(
            cloud, nova, member.create_one(), 'There are: none.'
        )

    def test_of_many_some_are_named(self, cloud, member, nova, report):
        for number in range(10):
            report(f'CUSTOM_C{number}')

        self._assert_refused(
            cloud, nova, member.create_one(), 'CUSTOM_C7, 2 more.'
        )

    def test_the_operators_name_them(
        self, cloud, member, nova, report, set_option
    ):
        report('FPGA')
        set_option(allowed_resource_classes=['qat', 'VGPU'])

        self._assert_refused(
            cloud, nova, member.create_one(**fpgas(1)), 'CUSTOM_QAT, VGPU.'
        )
        nova.check(member.create_one(resources={'QAT': 1}))

    def test_they_allow_any(self, cloud, member, nova, set_option):
        set_option(allowed_resource_classes=['QAT', '*'])

        nova.check(member.create_one())

    @pytest.mark.parametrize('name', ['VCPU', 'SRIOV_NET_VF', 'A B', ''])
    def test_they_name_what_is_no_class(self, cloud, set_option, name):
        set_option(allowed_resource_classes=['FPGA', name])

        with pytest.raises(
            exception.PluginActivationFailed, match='allowed_resource_classes'
        ):
            app.app_factory({})

    def test_it_is_looked_at_again_when_it_is_bound(
        self, cloud, member, nova, boot, report, set_option
    ):
        provider = report('CUSTOM_FPGA_GZIP')
        server_id, uuid_ = boot()
        wanted = providers(provider, uuid_)
        set_option(allowed_resource_classes=['QAT'])

        error = cyborg.error_of(nova.bind(server_id, wanted, status=400))

        assert 'CUSTOM_FPGA_GZIP' in error['detail']
        assert cloud.count(models.ExtArq) == 0
        assert member.status_of(uuid_) == 'reserved'
        set_option(allowed_resource_classes=[])
        nova.bind(server_id, wanted)

    def test_it_costs_one_statement(self, cloud, member, nova, report):
        report('FPGA')
        uuid_ = member.create_one(**fpgas(1))
        with cloud.statements() as sent:
            nova.check(uuid_)

        assert sum('attributes' in each for each in sent) == 1
