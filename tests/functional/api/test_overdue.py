# SPDX-License-Identifier: Apache-2.0

"""Servers of which something has been under way for long."""

import datetime
import uuid

import pytest
from oslo_utils import fixture

from tests.functional.api import cyborg


@pytest.fixture
def later():
    """Have it be ten minutes later for cyborg-api."""

    def _later():
        clock.advance_time_delta(datetime.timedelta(minutes=10))

    clock = fixture.TimeFixture()
    clock.setUp()
    yield _later
    clock.cleanUp()


@pytest.fixture
def reserved(cloud, member, nova):
    """A server that is to be booted; nothing more was done."""
    server_id = cloud.nova.boot()
    nova.reserve(server_id, member.create_one())
    return server_id


def test_one_that_nothing_is_done_with(nova, reserved, later):
    assert nova.overdue(seconds=60).json['servers'] == []
    later()
    assert nova.overdue(seconds=60).json == {
        'told': True,
        'servers': [reserved],
        'marker': 0,
    }
    assert nova.overdue(seconds=3600).json['servers'] == []


def test_one_process_is_told(nova, reserved, later):
    later()
    assert nova.overdue(seconds=60).json['servers'] == [reserved]
    other = nova.overdue(process=str(uuid.uuid4()), seconds=60).json
    assert (other['told'], other['servers']) == (False, [])


@pytest.mark.parametrize(
    'wrong',
    [
        {'process': 'x'},
        {'seconds': 0},
        {'seconds': 86_401},
        {'marker': -1},
        {'host': ''},
        {'more': 1},
    ],
)
def test_what_is_wrong(nova, wrong):
    error = nova.overdue(status=400, **wrong)
    (name,) = wrong
    assert name in cyborg.error_of(error)['detail']
