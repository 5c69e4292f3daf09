# SPDX-License-Identifier: Apache-2.0

"""Old events are deleted, and those that are too many."""

import datetime

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg.db import session, tables
from nova_cyborg.db.events import bounds
from nova_cyborg.lifecycle.events import keeping
from nova_cyborg.lifecycle.reconciling import report
from tests.functional.api import cyborg
from tests.functional.reconciler.conftest import Reconciler

ROW = tables.DeviceContextEvent


def age(days, *conditions):
    """Have events be older than they are."""
    with session.writing(cyborg_context.get_admin_context()) as db:
        for each in db.scalars(sa.select(ROW).where(*conditions)):
            each.created_at -= datetime.timedelta(days=days)


@pytest.mark.parametrize(('days', 'left'), [(9, 2), (7, 1)])
def test_old_ones_are_deleted_as_the_option_says(
    cloud, member, placement, days, left
):
    uuid = member.create_one()
    member.update(uuid, name='x')
    age(8, ROW.action == 'create')

    Reconciler(event_days=days).tick()

    assert cloud.count(ROW) == left
    assert cloud.count(ROW, ROW.action == 'update') == 1


def test_all_of_them_in_portions(cloud, member, placement, monkeypatch):
    monkeypatch.setattr(bounds, '_PORTION', 2)
    for _n in range(7):
        member.create_one()
    age(31)

    Reconciler().tick()

    assert not cloud.count(ROW)


def test_those_that_are_too_many(cloud, member, placement, monkeypatch):
    uuid, other = member.create_one(), member.create_one()
    for number in range(4):
        member.update(uuid, name=f'n{number}')
    monkeypatch.setattr(bounds, 'MOST', 2)

    Reconciler().tick()

    assert cloud.count(ROW, ROW.context_uuid == uuid) == 2
    assert cloud.count(ROW, ROW.context_uuid == other) == 1


class TestOfDeleted:
    """Those of device contexts that are deleted, of each project."""

    @pytest.fixture(autouse=True)
    def few_at_once(self, monkeypatch):
        monkeypatch.setattr(bounds, '_PORTION', 2)

    def loop(self, caller, times):
        for _n in range(times):
            caller.delete(caller.create_one())

    def test_the_newest_are_kept(self, cloud, member, placement):
        stranger = cyborg.Caller(cloud.api, cyborg.OTHER_PROJECT)
        kept = member.create_one()
        member.update(kept, name='x')
        self.loop(member, 5)
        self.loop(stranger, 2)
        with cloud.engine.connect() as connection:
            ids = connection.scalars(sa.select(ROW.id).order_by(ROW.id)).all()

        Reconciler(deleted_events=3).tick()

        with cloud.engine.connect() as connection:
            left = connection.scalars(sa.select(ROW.id).order_by(ROW.id)).all()
        # Two of what is there, and the last three of each project.
        assert left == [*ids[:2], *ids[9:12], *ids[13:]]
        assert cloud.count(ROW, ROW.context_uuid == kept) == 2

    def test_no_more_than_may_be(self, cloud, member, placement):
        self.loop(member, 2)
        for _n in range(3):
            member.create_one()

        Reconciler(deleted_events=4).tick()

        assert cloud.count(ROW) == 7

    def test_a_portion_each_time_if_time_is_over(self, cloud, member):
        self.loop(member, 3)
        keeper = keeping.Keeping(30, 0)

        left = []
        for _n in range(4):
            keeper.look(report.Budget(0))
            left.append(cloud.count(ROW))

        assert left == [4, 2, 0, 0]


def test_most_ticks_do_not_look(cloud, member, placement):
    process = Reconciler(event_days=7)
    process.tick()
    member.create_one()
    age(8)

    with cloud.statements() as sent:
        process.tick()
    assert not [each for each in sent if ROW.__tablename__ in each]
    # It is time.
    process.loop._rounds._keeping._next = 0
    process.tick()

    assert not cloud.count(ROW)
