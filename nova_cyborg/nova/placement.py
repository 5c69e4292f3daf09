# SPDX-License-Identifier: Apache-2.0

"""What Placement has allocated to a server, and is to forget or to add.

Stock Nova keeps in Placement what a host was chosen for when it cannot go on
with it. That would keep the devices from the next attempt, or from another
server with the same device contexts. A device context that is attached to a
server that exists adds devices to its allocation, and takes them along when it
is detached.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import functools
import logging
import typing as ty

import os_traits
import requests
from keystoneauth1 import exceptions as ks_exc
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects, utils

from nova_cyborg import exception, model
from nova_cyborg.nova import groups

LOG = logging.getLogger(__name__)

_ERRORS = (
    nova_exception.AllocationDeleteFailed,
    nova_exception.ConsumerAllocationRetrievalFailed,
    nova_exception.ResourceProviderRetrievalFailed,
    ks_exc.ClientException,
)
# What a server always has of its compute node.
_OF_NODES = {'VCPU', 'PCPU', 'MEMORY_MB'}
# How often a change is tried that another change comes before.
_ATTEMPTS = 4
_Resources = dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True)
class Allocated:
    """What Placement has allocated to a server, or to its migration.

    :ivar payload: Placement's own form of it.
    """

    payload: dict[str, ty.Any]

    @property
    def resources(self) -> _Resources:
        """Amounts by resource class, by provider."""
        return {
            provider: allocation['resources']
            for provider, allocation in self.payload['allocations'].items()
        }

    @property
    def providers(self) -> collections.abc.Set[str]:
        """UUIDs of the resource providers."""
        return self.payload['allocations'].keys()


class _Answering:
    """Nova's client of Placement, which says so when that does not answer.

    Nova's own takes that for a host without candidates, or for nothing.

    :param client: Nova's client of Placement.
    :param server_id: UUID of the server that is asked for.
    """

    def __init__(self, client: ty.Any, server_id: str) -> None:
        self._client = client
        self._server_id = server_id

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._client, name)

    def get_allocation_candidates(self, *args: ty.Any) -> ty.Any:
        """Return what Placement has.

        :raises NotAllocated: if Placement does not answer, or fails.
        """
        found = self._client.get_allocation_candidates(*args)
        if found is None or found[0] is None:
            raise exception.NotAllocated(
                server_id=self._server_id,
                reason='it does not answer, or fails. Try again later.',
            )
        return found


class _Asking:
    """Nova's compute manager, of which only the client of Placement is used.

    :param manager: the manager.
    :param server_id: UUID of the server that is asked for.
    """

    def __init__(self, manager: ty.Any, server_id: str) -> None:
        self._manager = manager
        self.reportclient = _Answering(manager.reportclient, server_id)

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._manager, name)


@dataclasses.dataclass(frozen=True)
class Added:
    """What was added to what a server has.

    :ivar providers: UUID of the provider that was chosen for each of our
        groups, by the requester id of the group.
    :ivar resources: what was added, in Placement's own form.
    """

    providers: dict[str, str]
    resources: dict[str, ty.Any]


def allocate(
    manager: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    request_groups: list[objects.RequestGroup],
) -> Added | None:
    """Add devices of its own host to what a server has.

    :param manager: Nova's compute manager of the host.
    :param instance: the server.
    :param request_groups: what is asked for.
    :returns: what was added; None if the host has no such devices.
    :raises NotAllocated: if Placement fails.
    """
    try:
        ask = type(manager)._allocate_port_resource_for_instance
        mapping, resources = ask(
            _Asking(manager, instance.uuid),
            context,
            instance,
            objects.InstancePCIRequests(
                requests=[], instance_uuid=instance.uuid
            ),
            request_groups,
            objects.RequestLevelParams(
                root_required={os_traits.COMPUTE_ACCELERATORS}
            ),
        )
    except nova_exception.InterfaceAttachResourceAllocationFailed as exc:
        # Nova's own sentence is about a port.
        if exc.__cause__ is None:
            return None
        raise _not_allocated(instance, exc.__cause__) from exc
    except (nova_exception.NovaException, ks_exc.ClientException) as exc:
        raise _not_allocated(instance, exc) from exc
    except requests.RequestException as exc:
        # Nova reads an error without looking whether it can be read.
        raise exception.NotAllocated(
            server_id=instance.uuid,
            reason='its answer cannot be read. Try again later.',
        ) from exc
    chosen = {
        requester: providers[0]
        for requester, providers in mapping.items()
        if model.parse_requester_id(requester)
    }
    return Added(chosen, resources)


def take_back(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    consumers: collections.abc.Iterable[str],
    added: Added,
) -> None:
    """Take back what was added to what a server has, from whoever has it.

    :param report_client: Nova's client of Placement.
    :param consumers: UUID of the server, and of a migration that Placement
        may have its host's allocation for by now.
    :param added: what was added.
    """
    for consumer in consumers:
        remove = functools.partial(
            report_client.remove_resources_from_instance_allocation,
            context,
            consumer,
            added.resources,
        )
        try:
            in_turn(consumer, remove)
        except nova_exception.AllocationUpdateFailed as exc:
            LOG.debug('%s does not have what was added: %s', consumer, exc)
        except _ERRORS as exc:
            LOG.warning(
                'Server or migration %s may have more in Placement than '
                'devices are bound. Run "nova-cyborg-manage audit --repair": '
                '%s',
                consumer,
                exc,
            )
        else:
            return


def in_turn(
    consumer: str, change: collections.abc.Callable[[], object]
) -> None:
    """Change what a consumer has while nobody else of this process does.

    Nova puts a server in error if what its migration has is changed while it
    forgets that. It forgets it on the host that the server leaves, where what
    was added is taken back, too.

    :param consumer: UUID of the server or the migration.
    :param change: changes it.
    """

    @utils.synchronized(f'nova_cyborg-allocation-{consumer}')
    def locked() -> None:
        change()

    locked()


def allocated(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    consumer: str,
) -> Allocated:
    """Read what is allocated to a server, or to its migration.

    :param report_client: Nova's client of Placement.
    :param instance: the server.
    :param consumer: UUID of the server, or of the migration.
    :returns: it; nothing for one that is gone.
    :raises NotAllocated: if Placement fails.
    """
    try:
        return Allocated(
            report_client.get_allocs_for_consumer(context, consumer)
        )
    except _ERRORS as exc:
        raise _not_allocated(instance, exc) from exc


def lower(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    consumer: str,
    found: Allocated,
    left: model.Amounts,
) -> None:
    """Forget what a server had of devices that it has not any more.

    What its flavor itself asks for may be of the same resource class, and of
    the same provider: see :func:`model.lowered`.

    :param report_client: Nova's client of Placement.
    :param instance: the server.
    :param consumer: UUID of the server, or of a migration that Placement may
        have its host's allocation for by now.
    :param found: what was allocated before the devices were unbound.
    :param left: what the server still has, by provider, of those that are
        Cyborg's.
    :raises NotAllocated: if Placement fails, or something else changes the
        allocation all the time.
    """
    of_flavor = groups.amounts_of(instance.flavor)

    def change() -> None:
        now = found
        for _attempt in range(_ATTEMPTS):
            wanted = model.lowered(now.resources, left, of_flavor)
            if wanted == now.resources or _put(
                report_client, context, instance, consumer, now, wanted
            ):
                return
            now = allocated(report_client, context, instance, consumer)
        raise exception.NotAllocated(
            server_id=instance.uuid,
            reason='its allocation is changed all the time',
        )

    in_turn(consumer, change)


def _put(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    consumer: str,
    found: Allocated,
    wanted: _Resources,
) -> bool:
    """Change an allocation, unless it was changed meanwhile.

    :returns: whether it is changed.
    :raises NotAllocated: if Placement fails.
    """
    allocations = {
        provider: {'resources': resources}
        for provider, resources in wanted.items()
    }
    try:
        return bool(
            report_client.put_allocations(
                context,
                consumer,
                {**found.payload, 'allocations': allocations},
            )
        )
    except nova_exception.AllocationUpdateFailed as exc:
        LOG.debug('An allocation is read once more: %s', exc)
        return False
    except (nova_exception.NovaException, ks_exc.ClientException) as exc:
        raise _not_allocated(instance, exc) from exc


def _not_allocated(
    instance: objects.Instance, error: BaseException
) -> exception.NotAllocated:
    return exception.NotAllocated(server_id=instance.uuid, reason=error)


def forget_allocations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
) -> None:
    """Forget all allocations of a server that is on no host.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    """
    with _warning(server_id):
        report_client.delete_allocation_for_instance(
            context, server_id, force=True
        )


def forget_destination(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node_id: str,
) -> None:
    """Forget the allocations of a server on a host that it did not get to.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node_id: UUID of the compute node.
    """
    with _warning(server_id):
        report_client.remove_provider_tree_from_instance_allocation(
            context, server_id, node_id
        )


def forget_earlier_destinations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node: str,
) -> None:
    """Forget the allocations of evacuations that were never ended.

    A nova-conductor that dies leaves what it has claimed on another host,
    and with it the devices of that host, which the next evacuation needs.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node: name of the compute node that it is evacuated from.
    """
    with _warning(server_id):
        found = report_client.get_allocs_for_consumer(context, server_id)
        allocations = found['allocations']
        unseen = set(allocations)
        while unseen:
            provider = min(unseen)
            tree = report_client.get_providers_in_tree(context, provider)
            unseen -= {provider, *(each['uuid'] for each in tree)}
            root = _root(tree)
            if root and _is_another_node(root, allocations, node):
                report_client.remove_provider_tree_from_instance_allocation(
                    context, server_id, root['uuid']
                )


def _root(
    tree: collections.abc.Iterable[dict[str, ty.Any]],
) -> dict[str, ty.Any] | None:
    """Return the root of a tree; None if there is no such tree any more."""
    return next(
        (
            provider
            for provider in tree
            if provider['uuid'] == provider['root_provider_uuid']
        ),
        None,
    )


def _is_another_node(
    root: dict[str, ty.Any],
    allocations: collections.abc.Mapping[str, dict[str, ty.Any]],
    node: str,
) -> bool:
    # What several nodes share is in a tree of its own.
    of_root = allocations.get(root['uuid'], {'resources': {}})
    is_node = not _OF_NODES.isdisjoint(of_root['resources'])
    return is_node and bool(root['name'] != node)


@contextlib.contextmanager
def _warning(server_id: str) -> collections.abc.Iterator[None]:
    """Log what Placement, or the way to it, fails with."""
    try:
        yield
    except _ERRORS as exc:
        LOG.warning(
            'Server %s did not get to the host that was chosen, and its '
            'allocations there in Placement could not be forgotten: %s',
            server_id,
            exc,
        )
