# SPDX-License-Identifier: Apache-2.0

"""The contract of hooks in nova-conductor.

A hook is a class in the entry point namespace ``nova_cyborg.conductor``; it
is made once a process, without arguments, when nova-conductor starts. Its
methods are called by several threads (or green threads) at once.
:mod:`nova_cyborg.contract.noop` shows one that does nothing.

The argument ``context`` is Nova's request context: whose request it is, with
their token, and the cell whose database is asked.
"""

from __future__ import annotations

import abc
import dataclasses
import typing as ty
import uuid

from nova import context as nova_context
from nova import objects

_Value = ty.TypeVar('_Value')


@dataclasses.dataclass(frozen=True)
class Note(ty.Generic[_Value]):
    """What a hook notes of servers in one method, to read it in another.

    A hook makes one for each kind of value, as a constant of its module;
    the type says which values it is for::

        _CHOSEN = spec.Note[list[str]]('my_hook.chosen')

    :ivar name: a name that no other hook's note has.
    """

    name: str


@dataclasses.dataclass(frozen=True)
class Operation:
    """A call of nova-conductor that brings servers to hosts.

    :ivar name: what is done: the same if the message bus delivers one
        message twice.
    :ivar booting: whether the servers are new; else they exist, and move.
    :ivar evacuated_node: the name of the compute node that the server is
        evacuated from; empty if it is not.
    :ivar migration_id: UUID of Nova's migration, if the server is moved from
        a node; empty if it is not.
    :ivar live: whether its guest runs on while it is moved.
    :ivar requesters: names (``requester_id``) of the request groups that its
        alternate hosts were chosen for, which are to be asked for again;
        empty if it has none, and a host is to be chosen.
    :ivar caller: UUID of the call: never the same.
    """

    name: str
    booting: bool
    evacuated_node: str = ''
    migration_id: str = ''
    live: bool = False
    requesters: frozenset[str] = frozenset()
    caller: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    _notes: dict[tuple[Note[ty.Any], str], ty.Any] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of_migration(self, migration_id: str) -> Operation:
        """Return the same operation, when Nova's migration is known.

        :param migration_id: UUID of the migration.
        :returns: the operation, with all that was noted.
        """
        operation = dataclasses.replace(self, migration_id=migration_id)
        operation._notes.update(self._notes)
        return operation

    def note(self, note: Note[_Value], server_id: str, value: _Value) -> None:
        """Keep a value for later methods that are called for this operation.

        :param note: what is noted.
        :param server_id: UUID of the server that it is noted of.
        :param value: the value; another one takes its place.
        """
        self._notes[note, server_id] = value

    def noted(self, note: Note[_Value], server_id: str) -> _Value | None:
        """Return what was noted of a server.

        :param note: what is asked for.
        :param server_id: UUID of the server.
        :returns: the value; None if nothing was noted.
        """
        return ty.cast(_Value | None, self._notes.get((note, server_id)))


class ConductorHook(abc.ABC):
    """What nova-conductor asks a hook on a server's way to its host."""

    @abc.abstractmethod
    def concerns(self, request_spec: objects.RequestSpec) -> bool:
        """Tell whether a server has to do with this hook.

        Called for every server, so it must cost nothing: no I/O.

        :param request_spec: the server's request.
        :returns: whether the other methods are to be called for it.
        """

    @abc.abstractmethod
    def before_scheduling(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: Operation,
    ) -> None:
        """Add to a request what the scheduler is to look for.

        :param request_spec: the request; changed in place. May have been
            changed by an earlier call: nothing is to be added twice.
        :param server_ids: UUIDs of the servers that are scheduled.
        :param operation: what is done with them.
        :raises Exception: if they cannot be scheduled; the hook has then
            released what it took. The message becomes the server's fault. One
            of :data:`nova_cyborg.exception.SUPERSEDED` says that another
            call is at it: this one is dropped, and releases nothing.
        """

    def otherwise(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: Operation,
    ) -> bool:
        """Have the scheduler look for something else that would do.

        Called when it has found no host; it is asked again then, and this
        again if it finds none, for half a minute at most. A hook need not
        have this method.

        :param request_spec: the request; changed in place.
        :param server_ids: UUIDs of the servers that are scheduled.
        :param operation: the one that before_scheduling was called for.
        :returns: whether there is something else, which it asks for now.
        """
        return False

    @abc.abstractmethod
    def pre_bind(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        node: str,
        request_spec: objects.RequestSpec,
        operation: Operation,
    ) -> list[str]:
        """Begin to dedicate devices of the chosen node to a server.

        :param instance: the server.
        :param node: the chosen node.
        :param request_spec: the request, with the resource providers that
            Placement chose for its groups.
        :param operation: what is done with it; before_scheduling may have
            been called for an earlier one.
        :returns: UUIDs of accelerator requests that nova-compute is to
            wait for.
        :raises Exception: if it cannot be done; the hook has then unbound
            what it bound here. The message becomes the server's fault,
            unless it is one of :data:`nova_cyborg.exception.SUPERSEDED`.
        """

    def why_no_host(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_id: str,
        operation: Operation,
    ) -> str:
        """Say why the scheduler has found no host for a server.

        Called only when it has found none. A hook need not have this method.

        :param request_spec: the request, as it was scheduled last.
        :param server_id: UUID of the server.
        :param operation: the one that before_scheduling was called for.
        :returns: a sentence for the server's fault; empty if there is nothing
            to say.
        :raises Exception: if it cannot be said; it is logged.
        """
        return ''

    @abc.abstractmethod
    def unbind(
        self,
        context: nova_context.RequestContext,
        server_id: str,
        operation: Operation,
    ) -> None:
        """Unbind what pre_bind has bound for a server that is not moved.

        Called if a later step fails: another hook's pre_bind, or Nova.

        :param server_id: UUID of the server.
        :param operation: the one that pre_bind was called for.
        :raises Exception: if it cannot be done; it is logged.
        """

    @abc.abstractmethod
    def release(
        self, context: nova_context.RequestContext, server_id: str
    ) -> None:
        """Release what a server was given that is not going to be built.

        :param server_id: UUID of the server.
        :raises Exception: if it cannot be done; it is logged.
        """
