# SPDX-License-Identifier: Apache-2.0

"""What libvirt says of a guest, and what can be read of it."""

import subprocess

import pytest

from tools.seldom.guest import domain, exception


def _virsh(answers):
    def call(command, *arguments):
        answer = answers[command]
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(command, *answer)

    return call


@pytest.fixture(name='made')
def _made(tmp_path):
    def make(**answers):
        return domain.Domain(
            'server-1',
            tmp_path / 'console.log',
            tmp_path / 'host.log',
            _virsh(answers),
        )

    return make


@pytest.mark.parametrize(
    ('printed', 'word', 'reason', 'final'),
    [
        ('running (booted)\n\n', 'running', 'booted', False),
        ('paused (starting up)\n', 'paused', 'starting up', False),
        ('paused (I/O error)\n', 'paused', 'I/O error', True),
        ('paused (unknown)\n', 'paused', 'unknown', True),
        ('shut off (crashed)\n', 'shut off', 'crashed', True),
        ('crashed (panicked)\n', 'crashed', 'panicked', True),
        ('running\n', 'running', '', False),
        ('in shutdown (user)\n', 'in shutdown', 'user', False),
    ],
)
def test_a_state(printed, word, reason, final):
    state = domain.parse_state(printed)

    assert state == domain.State(word, reason)
    assert state.is_final == final
    assert str(state) == printed.strip()


def test_the_state_is_asked_for_with_its_reason(made):
    guest = made(domstate=(0, 'paused (I/O error)\n', ''))

    assert guest.state() == domain.State('paused', 'I/O error')


@pytest.mark.parametrize(
    'answer',
    [
        (1, '', "error: failed to get domain 'server-1'\n"),
        subprocess.TimeoutExpired('virsh', 30),
    ],
)
def test_a_libvirt_that_does_not_say_is_not_hidden(made, answer):
    guest = made(domstate=answer, dominfo=answer)

    state = guest.state()

    assert state.word == domain.UNKNOWN
    assert ('failed to get domain' in str(state)) or ('30' in str(state))
    assert not state.is_final
    assert guest.processor_seconds() is None


def test_the_time_on_a_processor(made):
    printed = (
        'Name:           vm1\nCPU(s):         1\nCPU time:       177.5s\n'
    )

    assert made(dominfo=(0, printed, '')).processor_seconds() == 177.5


def test_a_console_that_is_empty(made, tmp_path):
    (tmp_path / 'console.log').write_text('')

    assert made().console() == ''


@pytest.mark.parametrize('what', ['console', 'host'])
def test_a_log_that_cannot_be_read_is_not_an_empty_one(made, what):
    with pytest.raises(exception.UnreadableLog, match='No such file'):
        getattr(made(), what)()
