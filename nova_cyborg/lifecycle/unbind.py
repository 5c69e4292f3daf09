# SPDX-License-Identifier: Apache-2.0

"""Unbinding devices: their ARQs are deleted, their attach handles not in use.

A server keeps its device contexts. Each function is safe to repeat.
"""

import collections.abc
import contextlib
import logging

import oslo_messaging
from cyborg import context as cyborg_context
from cyborg.agent import rpcapi

from nova_cyborg.db import allocations, arqs, profiles
from nova_cyborg.db.bindings import attempts, moves
from nova_cyborg.db.inventory import cleaning, handles
from nova_cyborg.db.requests import removing
from nova_cyborg.lifecycle.cleaning import begin
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)

#: Seconds for which cyborg-agent is waited for, to make or to remove a
#: mediated device: it writes to a file, and a driver may take some of them.
AGENT_ANSWERS_WITHIN = 20
# How often what asks it is sent once more, if the message bus takes it not.
# oslo.messaging sends it for ever by default, whatever the time for the
# answer. Once: of a connection that was cut off, the first time tells. Not 0:
# with that, older releases of kombu connect for ever.
_SENT_AGAIN = 1
_NO_ANSWER = (
    oslo_messaging.MessagingTimeout,
    oslo_messaging.MessageDeliveryFailure,
)


def last_attempt(server_id: str, generation: int) -> None:
    """Unbind what the last attempt to bring a server to a host has bound.

    :param server_id: UUID of the server.
    :param generation: the attempt's, which is refused if it is not the last
        one.
    :raises StaleGeneration: if another attempt was begun in between.
    """
    context = cyborg_context.get_admin_context()
    devices(attempts.end(context, server_id, generation))
    allocations.record_unbound(context, server_id)


def attempt(server_id: str, arq_ids: collections.abc.Collection[str]) -> None:
    """Unbind what an attempt to bring a server to a host has bound.

    It may come late: what other attempts have bound stays.

    :param server_id: UUID of the server.
    :param arq_ids: UUIDs of the ARQs that the attempt has made, those of
        profiles too.
    :raises OtherAttempt: if another attempt has bound other ARQs.
    """
    context = cyborg_context.get_admin_context()
    of_profiles = arqs.beside_contexts(context, server_id)
    devices(set(arq_ids).intersection(of_profiles))
    devices(attempts.end(context, server_id, arq_ids=arq_ids))
    allocations.record_unbound(context, server_id)


def earlier_attempt(
    server_id: str, arq_ids: collections.abc.Iterable[str]
) -> None:
    """Unbind what is left of an earlier attempt.

    :param server_id: UUID of the server.
    :param arq_ids: UUIDs of its ARQs.
    """
    devices(arq_ids)
    allocations.record_unbound(cyborg_context.get_admin_context(), server_id)


def migration(
    server_id: str, migration_id: str, node: str | None = None
) -> None:
    """Unbind what was bound for a migration that is not to be.

    If the server uses it by then, it uses again what it was leaving.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    :param node: the node that it was bound on; None for the one that was
        tried last.
    """
    context = cyborg_context.get_admin_context()
    devices(moves.unbind(context, server_id, migration_id, node))
    allocations.record_unbound(context, server_id)


def left(server_id: str, migration_id: str) -> None:
    """Unbind what a server has left, once it is there to stay.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    """
    context = cyborg_context.get_admin_context()
    devices(moves.settle(context, server_id, migration_id))
    allocations.tidy(context, server_id)


def elsewhere(
    server_id: str,
    node: str,
    or_nowhere: bool = False,
    generation: int | None = None,
) -> None:
    """Unbind what a server has on its way, once it is on a node.

    :param server_id: UUID of the server, with which nothing is being done.
    :param node: the node that it is on.
    :param or_nowhere: whether it is to have no devices at all if it has none
        on that node; nothing is changed otherwise.
    :param generation: that of its allocation; None for any.
    :raises StaleGeneration: if another attempt was begun in between.
    """
    context = cyborg_context.get_admin_context()
    devices(moves.stay(context, server_id, node, or_nowhere, generation))
    allocations.record_unbound(context, server_id)


def everything(server_id: str, generation: int) -> None:
    """Unbind all devices of a server that is on no host.

    :param server_id: UUID of the server.
    :param generation: that of its allocation.
    :raises StaleGeneration: if the server is on its way to a host.
    """
    # With those of the flavor's profile, which Nova would bind anew. Read
    # first: none of them is of an attempt that begins after this one ends.
    arq_ids = arqs.of_server(cyborg_context.get_admin_context(), server_id)
    last_attempt(server_id, generation)
    devices(arq_ids)


def devices(arq_ids: collections.abc.Iterable[str]) -> None:
    """Unbind devices and delete their ARQs; one that is gone is no error.

    :param arq_ids: UUIDs of the ARQs.
    """
    given_back(removing.remove(cyborg_context.get_admin_context(), arq_ids))


def given_back(removed: collections.abc.Iterable[handles.Handle]) -> None:
    """Do what is left to do when ARQs were removed.

    :param removed: the attach handles that they had.
    """
    context = cyborg_context.get_admin_context()
    silent: set[str] = set()
    for found in removed:
        if found.attach_type == handles.MDEV:
            _end_use(context, found, silent)
    _tell_of_outages(context, removed)


def of_no_context(arq_id: str) -> None:
    """Unbind a device of no device context, with the profile that it leaves.

    :param arq_id: UUID of its ARQ.
    """
    devices([arq_id])
    context = cyborg_context.get_admin_context()
    for row_id in profiles.of_no_arq(context).values():
        profiles.remove(context, row_id)


def unseen(unused: handles.Handle) -> None:
    """Have an attach handle not in use that no ARQ, nor any guest, has had.

    :param unused: the handle.
    """
    context = cyborg_context.get_admin_context()
    _end_use(context, unused, set())
    now = handles.of_row(context, unused.row_id)
    _tell_of_outages(context, [now] if now else [])


def _end_use(
    context: cyborg_context.RequestContext,
    unused: handles.Handle,
    silent: set[str],
) -> None:
    """Have an attach handle not in use, unless its mediated device stays.

    :param silent: hosts whose agent has not answered; each is waited for once.
    """
    try:
        if unused.attach_type == handles.MDEV:
            if unused.hostname in silent:
                raise oslo_messaging.MessagingTimeout(
                    f'cyborg-agent on {unused.hostname} has just not answered'
                )
            _remove_mediated_device(context, unused)
    except Exception as exc:  # noqa: BLE001
        # Whatever the agent raises, or the message bus if its host is down.
        # The server need not wait for that.
        if isinstance(exc, _NO_ANSWER):
            silent.add(unused.hostname)
        LOG.warning(
            'Attach handle %s stays in use until its mediated device can be '
            'removed: %s',
            unused.uuid,
            exc,
        )
    else:
        handles.end_use(context, unused.row_id)


def _tell_of_outages(
    context: cyborg_context.RequestContext,
    found: collections.abc.Iterable[handles.Handle],
) -> None:
    """Tell Placement of slots that nobody else gets, and have them cleaned.

    There are none, nearly always: one that is missing, or is to be cleaned.
    """
    out = [each for each in found if each.out]
    publishing.publish(
        context, sorted({each.provider for each in out if each.provider})
    )
    begin.of_handles(context, [each.uuid for each in out if each.unclean])


def handle(unused: handles.Handle) -> None:
    """Have an attach handle not in use that no ARQ has.

    :param unused: the handle.
    """
    context = cyborg_context.get_admin_context()
    if unused.attach_type == handles.MDEV:
        # Else the next one could not be made.
        _remove_mediated_device(context, unused)
    # Nobody knows whether a guest had it.
    cleaning.begin(context, [unused])
    handles.end_use(context, unused.row_id)
    now = handles.of_row(context, unused.row_id)
    _tell_of_outages(context, [now] if now else [])


@contextlib.contextmanager
def answering_soon(
    agent: rpcapi.AgentAPI,
) -> collections.abc.Iterator[None]:
    """Wait for no answer of cyborg-agent for longer than it takes.

    Cyborg waits as long as for any RPC call, which an operator may have made
    minutes: what is left of a process that has died could not be told from
    what one is at.

    :param agent: asks it, to make or to remove a mediated device.
    """
    client = agent.client
    agent.client = client.prepare(
        timeout=AGENT_ANSWERS_WITHIN, retry=_SENT_AGAIN
    )
    try:
        yield
    finally:
        agent.client = client


def _remove_mediated_device(
    context: cyborg_context.RequestContext, handle: handles.Handle
) -> None:
    agent = rpcapi.AgentAPI()
    # One that is not there is as good, as after a reboot of the host.
    try:
        with answering_soon(agent):
            agent.remove_vgpu_mdev(
                context,
                handle.hostname,
                handle.pci_address,
                handle.info['asked_type'],
                handle.uuid,
            )
    except FileNotFoundError:
        return
    except oslo_messaging.RemoteError as exc:
        if exc.exc_type != 'FileNotFoundError':
            raise
