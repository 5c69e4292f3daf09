# SPDX-License-Identifier: Apache-2.0

"""What a thread carries past methods of Nova that have no argument for it.

An override of one of Nova's methods says something that the override of
another one, further in, needs; Nova's methods in between do not hand it on.
Each thread, or green thread, has its own.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import dataclasses
import typing as ty

from nova import objects

from nova_cyborg.contract import spec


@dataclasses.dataclass
class Call:
    """A call of nova-conductor that brings servers to hosts.

    :ivar operation: what hooks are told of it.
    :ivar specs: the servers' requests by server, of those that concern a
        hook.
    :ivar prepared: servers whose hooks were called before scheduling.
    :ivar selected: the host that was chosen first, by server.
    :ivar bound: servers for which all hooks have begun to bind.
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


def _no_call() -> Call:
    return Call(spec.Operation('', booting=False), {})


@dataclasses.dataclass(frozen=True)
class Carried:
    """What a thread carries.

    :ivar call: nova-conductor: the call that it is in.
    :ivar arrives: nova-compute: whether it brings a server with device
        contexts to this host, from another one or from none.
    :ivar migration_id: nova-compute: UUID of the migration by which it comes;
        empty if it comes from none.
    :ivar node: nova-compute: the node of this host that a server is migrated
        or resized to; empty if it is not.
    :ivar delete_arqs: nova-compute and nova-conductor: what is done where
        Nova deletes all accelerator requests of a server; None for just that.
        What it raises comes out of Nova's client of Cyborg:
        AcceleratorRequestOpFailed is what Nova expects.
    :ivar cyborg_mdevs: nova-compute: UUIDs of mediated devices of the guest
        that Nova is not to take for its own.
    :ivar unplugged: nova-compute: accelerator requests whose devices were
        taken out of the guest that it migrates.
    :ivar accel_info: nova-compute: the accelerator requests of a server whose
        guest is made at the end of a move; None if it is not.
    :ivar guest_arqs: nova-compute: the accelerator requests of a server whose
        guest is made; None if it is not.
    :ivar beside: nova-compute: whether a guest is given something of Nova's
        own, while it may be given devices, or lose some.
    :ivar request_groups: nova-api: what the device contexts of the server
        that it creates count for.
    """

    call: Call = dataclasses.field(default_factory=_no_call)
    arrives: bool = False
    migration_id: str = ''
    node: str = ''
    delete_arqs: collections.abc.Callable[[], None] | None = None
    cyborg_mdevs: frozenset[str] = frozenset()
    unplugged: tuple[dict[str, ty.Any], ...] = ()
    accel_info: tuple[dict[str, ty.Any], ...] | None = None
    guest_arqs: tuple[collections.abc.Mapping[str, ty.Any], ...] | None = None
    beside: bool = False
    request_groups: tuple[objects.RequestGroup, ...] = ()


_carried: contextvars.ContextVar[Carried | None] = contextvars.ContextVar(
    'nova_cyborg_carried', default=None
)


def now() -> Carried:
    """Return what this thread, or green thread, carries."""
    return _carried.get() or Carried()


@contextlib.contextmanager
def carrying(carried: Carried) -> collections.abc.Iterator[None]:
    """Carry something while a block runs.

    :param carried: what is carried, made of :func:`now` by
        :func:`dataclasses.replace`, so that the rest stays.
    :returns: a context manager.
    """
    token = _carried.set(carried)
    try:
        yield
    finally:
        _carried.reset(token)
