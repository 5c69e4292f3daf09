# SPDX-License-Identifier: Apache-2.0

"""Groups that list what else would do: stored, bound, shown."""

import json
import uuid

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import language, model
from nova_cyborg.db import session, tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import wait_for_status

GZIP, QAT, GPU = 'CUSTOM_FPGA_GZIP', 'CUSTOM_QAT', 'PGPU'
OLD, NEW = 'compute1', 'compute2'
# What is shown of a group without alternatives.
PLAIN = {
    name: {
        'resources': {name: 1},
        'required': [],
        'forbidden': [],
        'config': {},
        'tolerated': [],
    }
    for name in (GZIP, QAT, GPU)
}


def one_of(*names, **more):
    """Return a group that one of some resource classes would do for."""
    return {
        'first_available': [{'resources': {each: 1}, **more} for each in names]
    }


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


@pytest.fixture
def create(member):
    """Makes a device context; returns its UUID."""

    def _create(*groups):
        return member.create(status=201, groups=list(groups)).json['uuid']

    return _create


@pytest.fixture
def card(cloud):
    """Puts a card with a slot into a host; returns its provider's UUID."""

    def _card(resource_class, host=OLD):
        return cloud.add_device(1, host=host, resource_class=resource_class)

    return _card


def chosen(member, uuid_):
    """Return which alternative of each group is shown as chosen."""
    return [each['chosen'] for each in member.show(uuid_).json['groups']]


def devices(shown):
    return [(each['group'], each['alternative']) for each in shown['devices']]


def hidden_profiles(cloud):
    query = sa.select(models.DeviceProfile.profile_json)
    with cloud.engine.connect() as connection:
        return [
            json.loads(text)['groups'] for text in connection.scalars(query)
        ]


class TestCreate:
    def test_it_is_shown_as_it_is_stored(self, cloud, member):
        made = member.create(groups=[one_of('FPGA_GZIP', 'QAT'), PLAIN[GPU]])

        assert made.json['groups'] == [
            {'first_available': [PLAIN[GZIP], PLAIN[QAT]], 'chosen': None},
            PLAIN[GPU],
        ]
        uuid_ = made.json['uuid']
        assert member.show(uuid_).json['groups'] == made.json['groups']
        (listed,) = member.list('?fields=groups').json['device_contexts']
        assert listed == {'groups': made.json['groups']}

    def test_a_list_of_one_is_a_group_as_any(self, member):
        made = member.create(groups=[one_of('QAT')])

        assert made.json['groups'] == [PLAIN[QAT]]

    def test_it_is_found_by_each_of_them(self, member, create):
        uuid_ = create(one_of('FPGA_GZIP', 'QAT', required=['FAST']))
        create(PLAIN[GPU])

        for query in ('resource_class=FPGA_GZIP', 'resource_class=QAT'):
            (found,) = member.list(f'?{query}').json['device_contexts']
            assert found['uuid'] == uuid_
        (found,) = member.list('?trait=FAST').json['device_contexts']
        assert found['uuid'] == uuid_

    def test_it_is_warned_of_each_that_nobody_offers(self, card, member):
        card(GZIP)

        made = member.create(groups=[one_of('FPGA_GZIP', 'QAT', 'PGPU')])

        assert made.json['warnings'] == [
            f'No device of this cloud is of class {QAT} as yet.',
            f'No device of this cloud is of class {GPU} as yet.',
        ]

    @pytest.mark.parametrize(
        ('group', 'field', 'reason'),
        [
            ({'first_available': []}, '[0].first_available', 'at least'),
            (one_of(*[f'A{n}' for n in range(9)]), '[0].first_ava', '8 are'),
            ({**one_of('A', 'B'), 'chosen': 0}, '[0].chosen', 'no such field'),
            ({**one_of('A'), 'config': {}}, '[0].config', 'together with'),
            (one_of('A', 'a b'), '[0].first_available[1].resources', 'a b'),
        ],
    )
    def test_what_is_none(self, cloud, member, group, field, reason):
        detail = cyborg.error_of(member.create(groups=[group], status=400))[
            'detail'
        ]

        assert f'groups{field}' in detail
        assert reason in detail
        assert cloud.count(tables.DeviceContext) == 0

    def test_the_dearest_counts_for_the_bound_of_a_server(self, cloud, member):
        cloud.config.config(group='nova_cyborg', max_accelerators_per_server=4)
        groups = [
            {'first_available': [PLAIN[QAT], {'resources': {'QAT': 4}}]},
            PLAIN[GPU],
        ]

        error = cyborg.error_of(member.create(groups=groups, status=400))

        assert '5 accelerators are asked for, 4 are allowed' in error['detail']


class TestServer:
    """What the device contexts of a server list together."""

    @pytest.fixture
    def many(self, create):
        """Device contexts that make 27 combinations."""
        return [create(one_of('FPGA_GZIP', 'QAT', 'PGPU')) for _n in range(3)]

    def test_too_many_combinations(self, cloud, member, nova, many):
        for call in (
            lambda: nova.check(*many, status=400),
            lambda: nova.reserve(cloud.nova.boot(), *many, status=400),
        ):
            error = call()
            assert code_of(error) == 'too_many_alternatives'
            assert '27 combinations' in cyborg.error_of(error)['detail']
        assert member.status_of(many[0]) == 'available'

    def test_they_are_too_many_with_what_is_attached(
        self, cloud, member, nova, many
    ):
        server_id = cloud.nova.boot()
        nova.reserve(server_id, *many[:2], status=200)

        error = nova.attach(server_id, many[2], status=400)

        assert code_of(error) == 'too_many_alternatives'
        assert member.status_of(many[2]) == 'available'

    def test_a_class_that_the_cloud_has_is_enough(
        self, cloud, member, nova, card, create
    ):
        cloud.config.config(group='nova_cyborg', allowed_resource_classes=[])
        provider = card(GZIP)
        uuid_ = create(one_of('QAT', 'FPGA_GZIP'))
        server_id = cloud.nova.boot()

        nova.check(uuid_, status=200)
        nova.reserve(server_id, uuid_, status=200)
        nova.bind(server_id, named(uuid_, (1, provider)), status=202)

        wait_for_status(member, uuid_, 'bound')

    def test_none_is_of_a_class_that_the_cloud_has(
        self, cloud, nova, card, create
    ):
        cloud.config.config(group='nova_cyborg', allowed_resource_classes=[])
        card(GPU)
        uuid_ = create(one_of('QAT', 'FPGA_GZIP'))

        error = nova.check(uuid_, status=400)

        assert code_of(error) == 'resource_class_not_allowed'
        assert f'asks for {QAT}' in cyborg.error_of(error)['detail']

    def test_what_is_chosen_must_be_of_one(self, cloud, nova, card, create):
        cloud.config.config(group='nova_cyborg', allowed_resource_classes=[])
        card(GZIP)
        uuid_ = create(one_of('FPGA_GZIP', 'QAT'))
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid_, status=200)

        wanted = named(uuid_, (1, str(uuid.uuid4())))
        error = nova.bind(server_id, wanted, status=400)

        assert code_of(error) == 'resource_class_not_allowed'
        assert cloud.count(models.ExtArq) == 0

    def test_what_costs_placement_the_most(self, nova, card, create):
        for _n in range(2):
            card(GZIP)
        for _n in range(3):
            card(QAT)
        one, other = create(one_of('FPGA_GZIP', 'QAT')), create(PLAIN[QAT])

        found = nova.check(one, other).json['combinations']

        # The second of both: three cards for one, and for the other.
        assert found == {'plain': 9, 'pruned': 0}

    def test_an_earlier_nova_reads_the_first_one(self, nova, create):
        uuid_ = create(one_of('FPGA_GZIP', 'QAT'))

        (told,) = nova.check(uuid_).json['device_contexts']

        (group,) = told['groups']
        assert {name: group[name] for name in PLAIN[GZIP]} == PLAIN[GZIP]
        assert model.Choice.from_record(group).alternatives[1] == (
            language.parse_group(PLAIN[QAT])
        )


@pytest.fixture
def held(cloud, nova, create):
    """A server with a device context of two groups; returns both UUIDs."""
    uuid_ = create(one_of('FPGA_GZIP', 'QAT'), one_of('FPGA_GZIP', 'PGPU'))
    server_id = cloud.nova.boot()
    nova.reserve(server_id, uuid_, status=200)
    return server_id, uuid_


def named(uuid_, *providers):
    """Name the resource provider of an alternative of each group."""
    return {
        model.requester_id(uuid_, number, alternative): provider
        for number, (alternative, provider) in enumerate(providers)
    }


class TestBind:
    def test_what_was_chosen(self, cloud, member, nova, card, held):
        server_id, uuid_ = held
        qat, gzip = card(QAT), card(GZIP)
        assert chosen(member, uuid_) == [None, None]

        nova.bind(server_id, named(uuid_, (1, qat), (0, gzip)))
        wait_for_status(member, uuid_, 'bound')

        shown = member.show(uuid_).json
        assert chosen(member, uuid_) == [1, 0]
        assert devices(shown) == [(0, 1), (1, 0)]
        assert [each['resource_provider_id'] for each in shown['devices']] == [
            qat,
            gzip,
        ]
        assert hidden_profiles(cloud) == [
            [{f'resources:{QAT}': '1'}, {f'resources:{GZIP}': '1'}]
        ]

    def test_nothing_is_chosen_any_more(self, cloud, member, nova, card, held):
        server_id, uuid_ = held
        nova.bind(server_id, named(uuid_, (1, card(QAT)), (0, card(GZIP))))
        wait_for_status(member, uuid_, 'bound')

        nova.unbind(server_id, status=204)

        assert chosen(member, uuid_) == [None, None]
        assert hidden_profiles(cloud) == []
        nova.release(server_id)
        assert chosen(member, uuid_) == [None, None]

    def test_again(self, cloud, member, nova, card, held):
        server_id, uuid_ = held
        wanted = named(uuid_, (1, card(QAT)), (0, card(GZIP)))

        arqs = [
            nova.bind(server_id, wanted, generation=0).json['arqs']
            for _n in range(2)
        ]

        assert arqs[0] == arqs[1]
        assert cloud.count(models.ExtArq) == 2

    def test_of_another_alternative(self, cloud, member, nova, card, held):
        """An attempt that has failed was for another one."""
        server_id, uuid_ = held
        gpu = card(GPU)
        nova.bind(server_id, named(uuid_, (0, card(GZIP)), (1, gpu)))
        wait_for_status(member, uuid_, 'bound')

        nova.bind(server_id, named(uuid_, (1, card(QAT)), (1, gpu)))

        wait_for_status(member, uuid_, 'bound')
        assert chosen(member, uuid_) == [1, 1]
        assert cloud.count(models.ExtArq) == 2
        assert len(hidden_profiles(cloud)) == 1

    @pytest.mark.parametrize('alternative', [2, 7])
    def test_of_one_that_there_is_not(
        self, cloud, nova, card, held, alternative
    ):
        server_id, uuid_ = held
        wanted = named(uuid_, (alternative, card(QAT)), (1, card(GPU)))

        error = nova.bind(server_id, wanted, status=400)

        assert code_of(error) == 'provider_missing'
        assert cloud.count(models.ExtArq) == 0

    def test_what_is_attached(self, cloud, member, nova, card, create, held):
        server_id, booted = held
        nova.bind(server_id, named(booted, (1, card(QAT)), (1, card(GPU))))
        uuid_ = create(one_of('FPGA_GZIP', 'QAT'))
        nova.attach(server_id, uuid_, status=200)
        qat = card(QAT)

        for _n in range(2):
            nova.bind_attached(server_id, uuid_, named(uuid_, (1, qat)))
        nova.attached(server_id, uuid_, status=204)

        assert member.status_of(uuid_) == 'bound'
        assert (chosen(member, uuid_), chosen(member, booted)) == ([1], [1, 1])

    def test_a_cyborg_api_of_an_earlier_release_binds(
        self, cloud, member, nova, card, held
    ):
        """It knows nothing of the column, and of no other than the first."""
        server_id, uuid_ = held
        nova.bind(server_id, named(uuid_, (0, card(GZIP)), (0, card(GZIP))))
        table = tables.DeviceContextArq.__table__
        with cloud.engine.begin() as connection:
            rows = connection.execute(sa.select(table)).mappings().all()
            connection.execute(sa.delete(table))
            for row in rows:
                old = {k: v for k, v in row.items() if k != 'alternative'}
                columns = [sa.column(name) for name in old]
                connection.execute(
                    sa.insert(sa.table(table.name, *columns)).values(**old)
                )

        assert chosen(member, uuid_) == [0, 0]


class TestMove:
    """A server has devices of one alternative here, and of another there."""

    @pytest.fixture
    def moved(self, cloud, member, nova, card, held):
        """Binds on the other host; returns the migration's UUID."""
        server_id, uuid_ = held
        here = named(uuid_, (0, card(GZIP)), (1, card(GPU)))
        nova.bind(server_id, here)
        wait_for_status(member, uuid_, 'bound')
        cloud.nova.change(server_id, 'ACTIVE', 'resize_prep')
        migration_id = str(uuid.uuid4())
        nova.begin(server_id)
        there = named(uuid_, (1, card(QAT, NEW)), (0, card(GZIP, NEW)))
        nova.bind(server_id, there, host=NEW, migration=migration_id)
        cloud.drain()
        return migration_id

    def bindings(self, member, uuid_):
        return {
            each['host']: (each['state'], devices(each))
            for each in member.show(uuid_).json['bindings']
        }

    def test_each_host_has_its_own(self, member, held, moved):
        _server_id, uuid_ = held

        assert self.bindings(member, uuid_) == {
            OLD: ('active', [(0, 0), (1, 1)]),
            NEW: ('inactive', [(0, 1), (1, 0)]),
        }
        assert chosen(member, uuid_) == [0, 1]

    def test_it_is_moved(self, cloud, member, nova, held, moved):
        server_id, uuid_ = held
        assert len(hidden_profiles(cloud)) == 2

        nova.of_migration(server_id, 'activate', moved)
        assert chosen(member, uuid_) == [1, 0]

        nova.of_migration(server_id, 'settle', moved)
        assert self.bindings(member, uuid_) == {
            NEW: ('active', [(0, 1), (1, 0)])
        }
        assert hidden_profiles(cloud) == [
            [{f'resources:{QAT}': '1'}, {f'resources:{GZIP}': '1'}]
        ]

    def test_it_goes_back(self, cloud, member, nova, held, moved):
        server_id, uuid_ = held
        nova.of_migration(server_id, 'activate', moved)

        nova.of_migration(server_id, 'unbind', moved)

        assert self.bindings(member, uuid_) == {
            OLD: ('active', [(0, 0), (1, 1)])
        }
        assert chosen(member, uuid_) == [0, 1]
        assert len(hidden_profiles(cloud)) == 1


class TestAmounts:
    """What is written down for limits, whoever counts first."""

    def amounts(self, cloud):
        row = tables.DeviceContextAmount
        query = sa.select(row.resource_class, row.amount)
        with cloud.engine.connect() as connection:
            return dict(each._tuple() for each in connection.execute(query))

    def test_the_most_of_each_class_when_it_is_made(self, cloud, create):
        create(
            {'first_available': [PLAIN[GZIP], {'resources': {'QAT': 2}}]},
            one_of('QAT', 'PGPU'),
        )

        assert self.amounts(cloud) == {GZIP: 1, QAT: 3, GPU: 1}

    def test_of_others_nothing_is(self, cloud, create):
        create(PLAIN[GZIP])

        assert self.amounts(cloud) == {}


def test_what_is_stored_is_what_an_earlier_release_reads(cloud, create):
    uuid_ = create(one_of('FPGA_GZIP', 'QAT'), PLAIN[GPU])

    query = sa.select(tables.DeviceContext.groups).where(
        tables.DeviceContext.uuid == uuid_
    )
    ((text,),) = session.rows(cyborg_context.get_admin_context(), query)

    # As model.Group.from_dict of any release does.
    first, second = map(model.Group.from_dict, json.loads(text))
    assert first == language.parse_group(PLAIN[GZIP])
    assert second == language.parse_group(PLAIN[GPU])
