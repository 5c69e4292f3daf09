# SPDX-License-Identifier: Apache-2.0

"""Waiting for a guest, in a time that passes only where one waits."""

import pathlib

import pytest

from tools.seldom.guest import domain, exception, watch

_PREFIX = 'nova-cyborg-guest: '
_READY = f'{_PREFIX}boot b1\n{_PREFIX}ready\n'
_LIMITS = watch.Limits(silent=100, overall=300, pause=1, state_pause=10)
_ABSENT = exception.UnreadableLog(
    pathlib.Path('console.log'), PermissionError(13, 'Permission denied')
)


class _Guest:
    """A guest that shows what it is to show at each second."""

    uuid = 'server-1'

    def __init__(self, *console, states=(), processor=1.0):
        # What holds from which second on, latest first.
        self._console = console[::-1]
        self._states = states[::-1]
        self._processor = processor
        self.seconds = 0.0
        self.asked = 0

    def clock(self):
        return watch.Clock(lambda: self.seconds, self._sleep)

    def console(self):
        shown = self._now(self._console, '')
        if isinstance(shown, Exception):
            raise shown
        return shown

    def host(self):
        return 'the kernel of the host has seen nothing'

    def state(self):
        self.asked += 1
        return self._now(self._states, domain.State('running', 'booted'))

    def processor_seconds(self):
        return self.seconds * self._processor

    def _sleep(self, seconds):
        self.seconds += seconds

    def _now(self, shown, otherwise):
        return next(
            (what for since, what in shown if since <= self.seconds), otherwise
        )


def _wait(guest, wanted=lambda boot: True):
    return watch.until_ready(guest, wanted, _LIMITS, guest.clock())


def _failure(guest):
    with pytest.raises(exception.GuestNotReady) as caught:
        _wait(guest)
    return str(caught.value)


def test_a_guest_that_is_ready():
    guest = _Guest((0, ''), (20, _READY))

    assert _wait(guest).boot_id == 'b1'
    assert guest.seconds == 20


def test_a_slow_guest_is_waited_for_as_long_as_it_talks():
    guest = _Guest((80, 'a'), (160, 'ab'), (240, 'abc'), (290, _READY))

    assert _wait(guest).ready
    assert guest.seconds == 290


def test_a_guest_that_falls_silent_hangs():
    guest = _Guest((50, 'Linux version 6.1\n'), processor=0.01)

    text = _failure(guest)

    assert guest.seconds == 150
    assert 'The guest server-1 is not ready: it hangs.' in text
    assert 'the console last grew 100 s ago' in text
    assert 'in the last 100 s, it ran for 1.0 s' in text


def test_a_guest_that_talks_for_ever_is_too_slow():
    guest = _Guest(*((second, 'a' * second) for second in range(0, 400, 5)))

    text = _failure(guest)

    assert guest.seconds == 300
    assert 'it is too slow' in text
    assert 'waited 300 s; the console last grew 0 s ago' in text


@pytest.mark.parametrize(
    'state',
    [
        domain.State('paused', 'I/O error'),
        domain.State('crashed', 'panicked'),
        domain.State('shut off', 'crashed'),
    ],
)
def test_a_guest_that_does_nothing_more_is_not_waited_for(state):
    text = _failure(_Guest((0, 'a'), states=((15, state),)))

    assert f'The guest server-1 is not ready: it is {state}.' in text
    assert 'waited 20 s' in text


def test_a_guest_that_libvirt_is_starting_is_waited_for():
    guest = _Guest(
        (20, _READY), states=((0, domain.State('paused', 'starting up')),)
    )

    assert _wait(guest).ready


def test_a_panic_is_seen_at_once():
    text = _failure(
        _Guest((3, 'a\n[ 1.0] Kernel panic - not syncing: no init\nb\n'))
    )

    assert 'its kernel gave up: [ 1.0] Kernel panic - not syncing' in text
    assert 'waited 3 s' in text


def test_a_console_that_cannot_be_read_is_not_an_empty_one():
    text = _failure(_Guest((0, _ABSENT)))

    assert 'not ready: console.log cannot be read: Permission denied' in text
    assert '--- the console cannot be read' in text


def test_a_console_that_comes_late():
    assert _wait(_Guest((0, _ABSENT), (60, ''), (90, _READY))).ready


def test_the_start_that_is_wanted():
    again = _READY.replace('b1', 'b2')
    guest = _Guest((0, _READY), (40, again))

    assert _wait(guest, lambda boot: boot.boot_id != 'b1').boot_id == 'b2'


def test_the_error_has_the_ends_of_both_logs_and_the_state():
    lines = ''.join(f'line {number}.\n' for number in range(100))

    text = _failure(_Guest((0, lines)))

    assert 'state: running (booted)' in text
    assert 'line 99.' in text
    assert 'line 9.' not in text
    assert 'the kernel of the host has seen nothing' in text


def test_the_host_is_not_asked_all_the_time():
    guest = _Guest((60, 'a'), (100, _READY))

    _wait(guest)

    assert guest.asked <= 11
