# SPDX-License-Identifier: Apache-2.0

"""What a release before has made is recorded: what it asks for."""

import sqlalchemy as sa

from nova_cyborg.db import tables
from nova_cyborg.lifecycle.reconciling import demands, report

ROW = tables.DeviceContext
DEMAND = tables.DeviceContextDemand


def forget(cloud):
    """Have all look as the release before leaves them."""
    with cloud.engine.begin() as connection:
        connection.execute(sa.delete(DEMAND))
        connection.execute(
            sa.update(ROW).values(demands_recorded=False, updated_at=None)
        )


def make(member, number):
    body = {'resources': {'FPGA': 1}}
    for begin in range(0, number, 100):
        several = [body] * min(100, number - begin)
        member.create(device_contexts=several, status=201)


def test_it_is_recorded(cloud, member, reconciler):
    make(member, 250)
    forget(cloud)

    reconciler.tick()

    assert cloud.count(DEMAND) == 250
    assert not cloud.count(ROW, ROW.demands_recorded.is_(False))
    assert not cloud.count(ROW, ROW.updated_at.is_not(None))


def test_a_portion_each_time_if_time_is_over(cloud, member):
    make(member, 150)
    forget(cloud)
    one = demands.Demands()

    left = []
    for _n in range(3):
        one.look(report.Budget(0))
        left.append(cloud.count(ROW, ROW.demands_recorded.is_(False)))

    assert left == [50, 0, 0]


def test_most_ticks_do_not_look(cloud, member, reconciler):
    reconciler.tick()
    make(member, 1)
    forget(cloud)

    with cloud.statements() as sent:
        reconciler.tick()
    assert not [each for each in sent if 'demands_recorded' in each]
    # It is time.
    reconciler.loop._rounds._demands._next = 0
    reconciler.tick()

    assert cloud.count(DEMAND) == 1
