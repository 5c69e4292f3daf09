# SPDX-License-Identifier: Apache-2.0

"""The processes that a cloud is made of."""

import collections.abc
import dataclasses

ENDED = frozenset(('EXITED', 'FATAL', 'BACKOFF', 'UNKNOWN'))
RUNNING = 'RUNNING'


@dataclasses.dataclass(frozen=True)
class Program:
    """A process that the supervisor runs.

    :ivar name: its name.
    :ivar service: the service that it is a part of, or all of.
    :ivar command: what is run, and its arguments.
    :ivar is_ready: tells whether all of it has started.
    :ivar url: the address of its API, if it has one.
    :ivar environment: variables of its own.
    :ivar autostart: whether it starts with the supervisor.
    :ivar stop_signal: how it is asked to end.
    :ivar stop_seconds: how long it may take to end when it is asked to.
    """

    name: str
    service: str
    command: tuple[str, ...]
    is_ready: collections.abc.Callable[[], bool]
    url: str = ''
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    autostart: bool = True
    stop_signal: str = 'TERM'
    stop_seconds: int = 5


def named(
    programs: collections.abc.Iterable[Program], name: str
) -> list[Program]:
    """Choose programs.

    :param programs: all of them.
    :param name: the name of a program, or of a service for all of its
        programs.
    :returns: the chosen ones.
    """
    return [each for each in programs if name in (each.name, each.service)]
