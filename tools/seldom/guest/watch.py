# SPDX-License-Identifier: Apache-2.0

"""Waiting for a guest by its progress, so that slow and hung are told apart.

A guest whose console grows is waited for, up to a bound; one whose console
does not, is not.
"""

import collections.abc
import dataclasses
import re
import time

from tools.seldom.guest import console, domain, exception, report

#: Tells whether a start of the guest is the one that is waited for.
Wanted = collections.abc.Callable[[console.Boot], bool]

_PANIC = re.compile(r'^.*Kernel panic - not syncing.*$', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Limits:
    """How long a guest is waited for, in seconds.

    :ivar silent: how long nothing new may come on its console: a guest that
        is silent for longer counts as hung. With thirty processes for each
        processor, a guest that was not hung has been seen to be silent for
        187 s, and to take 460 s altogether.
    :ivar overall: how long it may take to start, however it talks.
    :ivar pause: what passes between two looks at its console.
    :ivar state_pause: what passes between two questions for its state, which
        take time of the guest's host.
    """

    silent: float = 300.0
    overall: float = 900.0
    pause: float = 1.0
    state_pause: float = 10.0


@dataclasses.dataclass(frozen=True)
class Clock:
    """The time, and how to let it pass.

    :ivar now: returns the seconds since some moment.
    :ivar sleep: lets some seconds pass.
    """

    now: collections.abc.Callable[[], float] = time.monotonic
    sleep: collections.abc.Callable[[float], None] = time.sleep


def until_ready(
    guest: domain.Domain,
    wanted: Wanted,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> console.Boot:
    """Wait until a guest says that it is ready.

    :param guest: the guest.
    :param wanted: tells which start of the guest is waited for.
    :param limits: how long to wait.
    :param clock: the time.
    :returns: what the guest says of this start.
    :raises GuestNotReady: if it hangs, is too slow, or has ended.
    """
    limits, clock = limits or Limits(), clock or Clock()
    watch = _Watch(guest, limits, clock.now())
    while True:
        watch.look(clock.now())
        if boot := watch.ready(wanted):
            return boot
        if why := watch.why_in_vain(clock.now()):
            seen = f'{watch.progress(clock.now())}\n{report.of(guest)}'
            raise exception.GuestNotReady(guest.uuid, why, seen)
        clock.sleep(limits.pause)


class _Watch:
    """Remembers what was seen of a guest, and when that was new."""

    def __init__(
        self, guest: domain.Domain, limits: Limits, now: float
    ) -> None:
        self._guest = guest
        self._limits = limits
        self._begin = self._grown = now
        self._console = ''
        self._trouble = ''
        self._asked: float | None = None
        self._state = domain.State(domain.UNKNOWN)
        # When it was asked for first since the console grew, and the answer.
        self._processor_seconds: tuple[float, float | None] = (now, None)

    def look(self, now: float) -> None:
        self._look_at_console(now)
        pause = self._limits.state_pause
        if self._asked is None or now - self._asked >= pause:
            self._look_at_state(now)
            self._asked = now

    def ready(self, wanted: Wanted) -> console.Boot | None:
        boots = console.parse(self._console)
        found = [each for each in boots if each.ready and wanted(each)]
        return found[-1] if found else None

    def why_in_vain(self, now: float) -> str | None:
        if panic := _PANIC.search(self._console):
            return f'its kernel gave up: {panic[0].strip()}'
        if self._state.is_final:
            return f'it is {self._state}'
        if now - self._grown >= self._limits.silent:
            return self._trouble or 'it hangs'
        if now - self._begin >= self._limits.overall:
            return 'it is too slow'
        return None

    def progress(self, now: float) -> str:
        """Tell how long nothing new has come, and what the guest did then."""
        text = (
            f'waited {now - self._begin:.0f} s; the console last grew '
            f'{now - self._grown:.0f} s ago'
        )
        since, before = self._processor_seconds
        after = self._guest.processor_seconds()
        if before is None or after is None:
            return text
        return (
            f'{text}; in the last {now - since:.0f} s, it ran for '
            f'{after - before:.1f} s'
        )

    def _look_at_console(self, now: float) -> None:
        try:
            text, self._trouble = self._guest.console(), ''
        except exception.UnreadableLog as error:
            self._trouble = str(error)
            return
        # It begins anew at each start of the guest.
        if text != self._console:
            self._console, self._grown = text, now

    def _look_at_state(self, now: float) -> None:
        self._state = self._guest.state()
        if self._asked is None or self._grown > self._asked:
            self._processor_seconds = now, self._guest.processor_seconds()
