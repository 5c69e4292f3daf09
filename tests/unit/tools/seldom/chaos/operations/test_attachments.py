# SPDX-License-Identifier: Apache-2.0

"""Tests of a device context that a server gets, and loses."""

from unittest import mock

import pytest

from tools.seldom.chaos.operations import attachments, contexts


@pytest.fixture
def mine(user, notes):
    return contexts.Contexts(user, 'name', notes)


@pytest.fixture
def attach(deeds, mine):
    """Attach; return the status after it, and whether it was ever there."""

    def _attach():
        arrived = mock.Mock()
        attaching = attachments.Attachments(deeds, mine)
        status = attaching.attach('server', 'QAT', arrived)
        return status, arrived.called

    return _attach


def test_it_comes_and_goes(server, attach, mine, user, notes):
    assert attach() == ('ACTIVE', True)
    assert server.asked == ['attach', 'detach']
    assert notes.actions == {'attach bound': 1, 'detach available': 1}
    # It is used again.
    user.ask.reset_mock()
    assert mine.take('QAT', keep=True) == 'context'
    assert not user.ask.called


def test_what_is_refused(server, attach, notes):
    server.code = 400
    assert attach() == ('ACTIVE', False)
    assert notes.actions == {'attach refused': 1}


def test_what_does_not_end(server, attach, mine, user, notes):
    server.is_stuck = True
    assert attach() == ('stuck', False)
    assert notes.actions == {'attach stuck': 1}
    # The server has it.
    user.ask.reset_mock()
    mine.take('QAT', keep=True)
    assert user.ask.called


def test_an_answer_was_lost(server, attach):
    """The second try is refused, as the first one was taken."""
    server.code = 409
    server.context = 'bound'
    assert attach() == ('ACTIVE', True)
