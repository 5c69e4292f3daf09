# SPDX-License-Identifier: Apache-2.0

"""Placement's allocations, compared with Cyborg's devices."""

import collections.abc
import dataclasses
import functools

from nova_cyborg import exception
from nova_cyborg.audit import look, moves
from nova_cyborg.db import allocations, arqs
from nova_cyborg.lifecycle import heal, placement, servers


@dataclasses.dataclass(frozen=True)
class _Consumer:
    """Who has an allocation of a resource provider of devices.

    :ivar provider: the resource provider.
    :ivar server: the server; one that is gone may be a migration.
    :ivar is_holder: whether it is a server that holds device contexts.
    """

    provider: look.Provider
    server: servers.Server
    is_holder: bool

    @property
    def subject(self) -> str:
        """What a finding is about."""
        return f'{self.provider.uuid}/{self.server.server_id}'

    @property
    def use(self) -> arqs.Use | None:
        """Its ARQs of the provider in Cyborg, if any."""
        return self.provider.in_cyborg.get(self.server.server_id)

    @property
    def resource_class(self) -> str:
        """What is allocated to it; Cyborg's providers have one class each."""
        allocated = self.provider.in_placement[self.server.server_id]
        return next(iter(allocated))

    @property
    def unaccounted(self) -> int:
        """How many units are allocated to it of which it has no device."""
        amount = self.provider.allocated(self.server.server_id)
        if self.use is None:
            return amount
        # Of device profiles, it is Nova's business how many.
        return max(amount - self.use.count, 0) if self.is_holder else 0


def find(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find devices without allocations, and allocations without devices.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    providers = view.providers
    # After the allocations in Placement: who has one holds by now.
    holders = {each.server_id for each in allocations.holders(view.context)}
    # Their devices on another host are found otherwise.
    elsewhere = moves.on_another_host(view)
    unended = moves.of_unended(view)
    for provider in providers:
        for server_id in sorted(provider.in_cyborg.keys() - elsewhere):
            finding = _unallocated(view, provider, server_id, holders)
            if finding:
                yield finding
        for server_id in sorted(provider.in_placement.keys() - unended):
            consumer = _Consumer(
                provider, view.nova.server(server_id), server_id in holders
            )
            finding = _about_consumer(view, consumer)
            if finding:
                yield finding


def _unallocated(
    view: look.Look,
    provider: look.Provider,
    server_id: str,
    holders: collections.abc.Collection[str],
) -> look.Finding | None:
    count = provider.in_cyborg[server_id].count
    # Of device profiles, it is Nova's business how many.
    enough = count if server_id in holders else 1
    if provider.allocated(server_id) >= enough:
        return None
    server = view.nova.server(server_id)
    if server.state not in servers.AT_REST:
        # What one that is gone, or on no host, has left is found otherwise.
        return None
    if heal.is_moving(view.placement, view.nova, server_id):
        # What it has is put right with the move.
        return None
    return look.Finding(
        'no-placement-allocation',
        f'{provider.uuid}/{server_id}',
        'The server has devices of the resource provider, and no allocation '
        'in Placement, or of less.',
        functools.partial(
            _allocate, view.placement, provider.uuid, server, count
        ),
    )


def _allocate(
    client: placement.Placement,
    provider: str,
    server: servers.Server,
    count: int,
) -> None:
    """Repair ``no-placement-allocation``."""
    heal.allocate(client, provider, server, count)


def _about_consumer(
    view: look.Look, consumer: _Consumer
) -> look.Finding | None:
    server = consumer.server
    if server.state is servers.State.GONE:
        return _of_no_server(view, consumer)
    if server.state is servers.State.OFFLOADED:
        return look.Finding(
            'allocation-of-offloaded-server',
            consumer.subject,
            'The server is on no host, and Placement has an allocation of it.',
            functools.partial(heal.forget_unused, view.placement, server),
        )
    if server.state is servers.State.NEVER_BUILT:
        return look.Finding(
            'allocation-of-failed-server',
            consumer.subject,
            'The server could not be built, and Placement has an allocation '
            'of it.',
            functools.partial(heal.forget_unused, view.placement, server),
        )
    if not consumer.unaccounted or server.state not in servers.AT_REST:
        return None
    if view.nova.is_evacuated(server.server_id):
        # Nova keeps what an evacuated server has on its old host until that
        # is back.
        return None
    if view.nova.may_be_moving(server):
        # Its state was reset; it is on its way to the other host.
        return None
    return _without_devices(view, consumer)


def _of_no_server(view: look.Look, consumer: _Consumer) -> look.Finding | None:
    server_id = consumer.server.server_id
    if consumer.use is None and (
        view.nova.migrations is None or moves.server_of(view, server_id)
    ):
        # It is a server's migration, or may be one.
        return None
    if consumer.use or heal.was_server(view.nova, server_id):
        return look.Finding(
            'allocation-of-no-server',
            consumer.subject,
            'Nova does not know the server any more that Placement has an '
            'allocation of.',
            functools.partial(_forget, view.placement, server_id),
        )
    return look.Finding(
        'allocation-of-no-server',
        consumer.subject,
        'Placement has an allocation of what Nova does not know, and may '
        'never have known. If nobody has made it by hand, delete it '
        f'("openstack resource provider allocation delete {server_id}").',
    )


def _forget(client: placement.Placement, server_id: str) -> None:
    """Repair ``allocation-of-no-server``."""
    client.forget(server_id)


def _without_devices(
    view: look.Look, consumer: _Consumer
) -> look.Finding | None:
    if consumer.use is None:
        finding = _on_another_host(view, consumer)
        if finding:
            return finding
        if consumer.is_holder and (
            consumer.server.state is servers.State.FAILED
        ):
            # It could not be evacuated, and where it was to go is not known:
            # Nova deletes it when the server is evacuated again.
            return None
    if _is_of_flavor(view, consumer):
        return None
    server = consumer.server
    can_tell = (
        server.tells_flavor
        and server.node is not None
        and server.state is servers.State.RESTING
    )
    return look.Finding(
        'no-device',
        consumer.subject,
        'The server has an allocation in Placement that its flavor does not '
        'ask for by itself, and no device of the resource provider, or fewer.'
        + ('' if can_tell else ' Shelve it with offloading, and unshelve it.'),
        functools.partial(_lower, view.placement, consumer)
        if can_tell
        else None,
    )


def _lower(client: placement.Placement, consumer: _Consumer) -> None:
    """Repair ``no-device``.

    :raises AllocationRefused: if that cannot be done now.
    """
    if not heal.lower(client, consumer.server):
        raise exception.AllocationRefused(
            server_id=consumer.server.server_id,
            provider=consumer.provider.uuid,
            reason='the server changes, or has changed. Shelve it with '
            'offloading, and unshelve it, if that is said again.',
        )


def _is_of_flavor(view: look.Look, consumer: _Consumer) -> bool:
    """Tell whether a flavor asks for what a server has besides its devices.

    A flavor that asks for a resource class without a device profile gets it
    from any provider of the host, with its devices or apart.
    """
    server, name = consumer.server, consumer.resource_class
    wanted = server.flavor_resources.get(name, 0)
    if not wanted:
        return False
    known = {each.uuid for each in view.providers}
    apart = sum(
        resources.get(name, 0)
        for provider, resources in view.placement.allocations(
            server.server_id
        ).items()
        if provider not in known
    )
    beside = sum(
        each.unaccounted
        for each in map(functools.partial(_at, consumer), view.providers)
        if each.unaccounted
        and each.resource_class == name
        and not _is_elsewhere(view, each)
    )
    return apart + beside <= wanted


def _at(consumer: _Consumer, provider: look.Provider) -> _Consumer:
    """Return what a consumer has of another resource provider."""
    return _Consumer(provider, consumer.server, consumer.is_holder)


def _is_elsewhere(view: look.Look, consumer: _Consumer) -> bool:
    node = consumer.server.node
    if node is None:
        return False
    return view.placement.node(consumer.provider.uuid) not in (None, node)


def _on_another_host(
    view: look.Look, consumer: _Consumer
) -> look.Finding | None:
    """Find what Nova has allocated on a host, and not gone there with.

    If Placement's answer is lost, for example, it takes another host.
    """
    server = consumer.server
    if not _is_elsewhere(view, consumer):
        return None
    runs = (
        server.state is servers.State.FAILED
        and view.nova.may_run_elsewhere(server)
    )
    if not runs and heal.is_moving(
        view.placement, view.nova, server.server_id
    ):
        # What a move has that was not ended is put right with that; of one in
        # error, somebody has to look where the guest runs.
        return None
    return look.Finding(
        'allocation-on-another-host',
        consumer.subject,
        f'The server is on {server.node}, and Placement has an allocation '
        'of it on another host'
        + (', where its guest may run. Evacuate it again.' if runs else '.'),
        None
        if runs
        else functools.partial(
            heal.forget_on_host, view.placement, consumer.provider.uuid, server
        ),
    )
