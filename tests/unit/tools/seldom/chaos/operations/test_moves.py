# SPDX-License-Identifier: Apache-2.0

"""Tests of what is done with servers, and how its end is noted."""

from unittest import mock

import pytest

from tools.seldom.chaos.operations import moves


@pytest.fixture
def moving(deeds, chance):
    return moves.Moves(deeds, chance, 'a flavor')


def test_a_move_is_ended(server, moving, notes):
    arrived = mock.Mock()
    assert moving.migrate('server', arrived) == 'ACTIVE'
    assert server.asked == ['migrate', 'revertResize']
    assert notes.actions == {
        'migrate VERIFY_RESIZE': 1,
        'revertResize ACTIVE': 1,
    }
    arrived.assert_called_once_with()


def test_a_server_is_resized(server, moving):
    assert moving.resize('server', mock.Mock()) == 'ACTIVE'
    assert server.asked == ['resize', 'revertResize']


def test_a_server_is_migrated_live(server, moving):
    assert moving.live_migrate('server') == 'ACTIVE'
    assert server.asked == ['os-migrateLive']


def test_what_is_refused(server, moving, notes):
    server.code = 400
    assert moving.migrate('server', mock.Mock()) == 'ACTIVE'
    assert notes.actions == {'migrate refused': 1}


def test_what_does_not_end(server, moving, notes):
    server.is_stuck = True
    assert moving.migrate('server', mock.Mock()) == 'stuck'
    assert notes.actions == {'migrate stuck': 1}
