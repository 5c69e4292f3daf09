# SPDX-License-Identifier: Apache-2.0

"""Waiting: it ends, with what was waited for or with a reason."""

import pytest

from tools.cloud import exception, waiting


@pytest.fixture(autouse=True)
def pause(monkeypatch):
    monkeypatch.setattr(waiting, '_PAUSE', 0.001)


def test_until_it_holds():
    answers = iter([False, False, True])

    waiting.until('it', lambda: next(answers), 60)

    assert list(answers) == []


def test_a_wait_says_what_was_waited_for():
    with pytest.raises(exception.StepFailed) as failure:
        waiting.until('the guest to start', lambda: False, 0.01)

    assert str(failure.value) == 'Waited 0 s in vain for the guest to start.'


def test_without_time_it_is_looked_at_once():
    waiting.until('it', lambda: True, 0)


def test_a_wait_that_is_no_use_ends_with_the_reason():
    def check():
        raise exception.StepFailed('nova has ended.', 'nova')

    with pytest.raises(exception.StepFailed, match='nova has ended'):
        waiting.until('nova', lambda: False, 60, check)


def test_what_the_condition_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        waiting.until('it', lambda: 1 / 0, 60)
