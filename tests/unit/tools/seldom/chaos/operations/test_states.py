# SPDX-License-Identifier: Apache-2.0

"""Tests of servers that are suspended, shelved and rebuilt."""

import pytest

from tools.seldom.chaos.operations import states


@pytest.fixture
def changing(deeds):
    return states.States(deeds, 'an image')


@pytest.mark.parametrize(
    ('name', 'asked'),
    [
        ('suspend', ['suspend', 'resume']),
        ('shelve', ['shelve', 'unshelve']),
        ('rebuild', ['rebuild']),
    ],
)
def test_a_server_is_active_again(server, changing, name, asked):
    assert getattr(changing, name)('server') == 'ACTIVE'
    assert server.asked == asked


def test_what_was_not_shelved_is_not_unshelved(server, changing):
    server.code = 409
    assert changing.shelve('server') == 'ACTIVE'
    assert server.asked == ['shelve']


def test_slots_of_a_shelved_server_may_be_given_on(changing, notes):
    notes._holders = {('host', '1'): 'server', ('host', '2'): 'other'}
    changing.shelve('server')
    assert notes._holders == {('host', '2'): 'other'}
