# SPDX-License-Identifier: Apache-2.0

"""The lease: one process at a time, whatever its clock says."""

import concurrent.futures
import datetime

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils

from nova_cyborg.db import tables
from nova_cyborg.db.reconciler import leases
from tests.functional.reconciler.conftest import Reconciler

A, B = (f'{letter * 8}-0000-4000-8000-000000000000' for letter in 'ab')


def take(holder, seconds=30, name='it'):
    context = cyborg_context.get_admin_context()
    return leases.take(context, name, holder, f'host-{holder[0]}', seconds)


def expire(cloud):
    with cloud.engine.begin() as connection:
        connection.execute(
            sa.update(tables.Lease).values(
                expires_at=tables.Lease.expires_at - 1000
            )
        )


@pytest.fixture(autouse=True)
def _cloud(cloud):
    """Have a database."""


def read():
    return leases.read(cyborg_context.get_admin_context(), 'it')


def test_one_has_it():
    assert read() is None

    lease = take(A)

    assert lease.in_use
    assert (lease.holder, lease.host) == (A, 'host-a')
    assert take(B) is None
    assert take(A).expires_at >= lease.expires_at
    assert read().holder == A


def test_it_expires(cloud):
    take(A)
    expire(cloud)
    assert not read().in_use

    assert take(B).holder == B
    assert take(A) is None


def test_leases_do_not_know_of_each_other():
    take(A)

    assert take(B, name='another').holder == B


def test_who_has_lost_it_records_nothing(cloud):
    context = cyborg_context.get_admin_context()
    take(A)
    leases.record(context, 'it', A, {'found': 1}, 7)
    expire(cloud)
    lease = take(B)
    # What was known is known to who goes on.
    assert (lease.report, lease.good_at) == ({'found': 1}, 7)

    leases.record(context, 'it', A, {'found': 2}, 8)

    assert (read().report, read().good_at) == ({'found': 1}, 7)


def test_of_many_at_once_one_has_it():
    holders = [f'{n:08}-0000-4000-8000-000000000000' for n in range(8)]
    with concurrent.futures.ThreadPoolExecutor(len(holders)) as executor:
        found = list(executor.map(take, holders))

    assert sum(each is not None for each in found) == 1


@pytest.mark.parametrize('hours', [-1, 1])
def test_clocks_that_are_an_hour_apart(cloud, placement, monkeypatch, hours):
    """Those of the processes do not matter."""
    first, second = Reconciler('controller1'), Reconciler('controller2')
    utcnow = timeutils.utcnow
    first.tick()
    shift = datetime.timedelta(hours=hours)
    monkeypatch.setattr(timeutils, 'utcnow', lambda: utcnow() + shift)

    second.tick()

    context = cyborg_context.get_admin_context()
    assert leases.read(context, 'cyborg-conductor').host == 'controller1'
    expire(cloud)
    second.tick()
    monkeypatch.undo()
    first.tick()
    assert leases.read(context, 'cyborg-conductor').host == 'controller2'
