# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
