# SPDX-License-Identifier: Apache-2.0

"""Device contexts that are being attached or detached for too long."""

import datetime

import pytest
import sqlalchemy as sa

from nova_cyborg.audit import holders
from nova_cyborg.db import tables
from tests.functional.api import cyborg

OTHER_CALLER = '0ca11000-0000-4000-8000-000000000000'


@pytest.fixture
def wait(cloud):
    """Has all transitions have begun a while earlier."""

    def _wait(age):
        since = tables.DeviceContext.transition_since
        with cloud.engine.begin() as connection:
            then = connection.scalar(sa.select(since)) - age
            connection.execute(
                sa.update(tables.DeviceContext)
                .where(since.is_not(None))
                .values(transition_since=then)
            )

    return _wait


@pytest.fixture
def attaching(cloud, member, nova):
    """A server that was booted without any, and what it is getting."""
    server_id = cloud.nova.boot()
    cloud.nova.change(server_id, 'ACTIVE')
    uuid_ = member.create_one()
    nova.attach(server_id, uuid_)
    return server_id, uuid_


def test_the_call_has_ended_before(run, member, nova, attaching, wait):
    server_id, uuid_ = attaching
    wait(holders.MOST - datetime.timedelta(minutes=1))
    assert run() == (0, [])

    wait(datetime.timedelta(minutes=2))

    # Only the guest says whether it has the device.
    assert run(repair=True) == (1, ['attach-not-ended'])
    assert member.status_of(uuid_) == 'attaching'
    # The same call again is no other one; the next one is.
    nova.attach(server_id, uuid_)
    assert run() == (1, ['attach-not-ended'])
    nova.attach(server_id, uuid_, OTHER_CALLER)
    assert run() == (0, [])


def test_of_a_detach(cloud, run, running, nova, wait):
    _provider, server_id, uuid_ = running
    nova.detach(server_id, uuid_)
    wait(holders.MOST)
    wait(datetime.timedelta(seconds=1))
    assert run() == (1, ['attach-not-ended'])

    nova.attached(server_id, uuid_, cyborg.CALLER)

    assert run() == (0, [])


def test_the_server_is_gone(cloud, run, member, attaching, wait):
    server_id, uuid_ = attaching
    wait(2 * holders.MOST)
    cloud.nova.delete(server_id)

    assert run(repair=True) == (0, ['held-by-no-server'])
    member.show(uuid_, status=404)
    assert run() == (0, [])
