# SPDX-License-Identifier: Apache-2.0

"""What nova-conductor is doing: the call that a thread is in.

Nova's methods between the RPC method and the points where hooks are called
have no argument to hand it on.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import dataclasses

from nova import objects

from nova_cyborg.contract import spec


@dataclasses.dataclass
class Call:
    """A call that brings servers to hosts.

    :ivar operation: what hooks are told of it.
    :ivar specs: the servers' requests by server, of those that concern a
        hook.
    :ivar prepared: servers whose hooks were called before scheduling.
    :ivar selected: the host that was chosen first, by server.
    :ivar bound: servers whose hooks have begun to bind.
    :ivar last_error: why the server could not be built on the host before;
        empty if there was none.
    """

    operation: spec.Operation
    specs: dict[str, objects.RequestSpec]
    prepared: set[str] = dataclasses.field(default_factory=set)
    selected: dict[str, objects.Selection] = dataclasses.field(
        default_factory=dict
    )
    bound: set[str] = dataclasses.field(default_factory=set)
    last_error: str = ''


class Dropped(BaseException):
    """Ends a call that another one has superseded.

    No Exception: it passes through Nova's own clean-up, which would undo
    what the other call has done.
    """


_current: contextvars.ContextVar[Call | None] = contextvars.ContextVar(
    'nova_cyborg_call', default=None
)


def current() -> Call:
    """Return the call that this thread, or green thread, is in."""
    return _current.get() or Call(spec.Operation('', booting=False), {})


@contextlib.contextmanager
def making(call: Call) -> collections.abc.Iterator[Call]:
    """Be in a call.

    :param call: the call.
    :returns: a context manager that gives the call.
    """
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
