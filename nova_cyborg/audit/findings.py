# SPDX-License-Identifier: Apache-2.0

"""What the audit looks for, and how each thing is put right."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import re

from cyborg import context as cyborg_context

from nova_cyborg.audit import placement as placement_api
from nova_cyborg.db import arqs as devices
from nova_cyborg.db import audit
from nova_cyborg.lifecycle import nova as servers
from nova_cyborg.lifecycle import unbind as unbinding

_State = servers.State
# What exception.DeviceNotGiven says, at the end of a server's fault.
_NOT_GIVEN = re.compile(
    r'Device (?P<slot>\S+) cannot be given to a guest of (?P<host>\S+): '
    r'(?P<reason>.*)',
    re.DOTALL,
)
# Nothing is being done with such a server.
_ON_HOST = (_State.SETTLED, _State.FAILED)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that disagrees.

    :ivar kind: what disagrees, a stable name.
    :ivar subject: what it is about: a UUID, or a name.
    :ivar detail: a sentence.
    :ivar repair: puts it right; None if only a person can.
    """

    kind: str
    subject: str
    detail: str
    repair: collections.abc.Callable[[], None] | None = dataclasses.field(
        default=None, compare=False
    )


@dataclasses.dataclass(frozen=True)
class _Consumer:
    """Who has an allocation of a resource provider of devices.

    :ivar provider: UUID of the resource provider.
    :ivar server_id: UUID of the server, or of the migration.
    :ivar amount: how many units are allocated.
    :ivar use: what it has in Cyborg, if anything.
    :ivar is_holder: whether it is a server that holds device contexts.
    """

    provider: str
    server_id: str
    amount: int
    use: audit.Use | None
    is_holder: bool

    @property
    def has_devices(self) -> bool:
        """Whether it has the devices, too."""
        # Of device profiles, it is Nova's business how many.
        enough = self.amount if self.is_holder else 1
        return self.use is not None and self.use.count >= enough


def look() -> list[Finding]:
    """Compare Cyborg with Nova and Placement, once.

    :returns: what disagrees at this moment, part of which may be requests
        that are under way.
    """
    context = cyborg_context.get_admin_context()
    state = functools.cache(servers.state)
    return [
        *_held(context, state),
        *_left_behind(context, state),
        *_unlinked(context, state),
        *_of_profiles(context, state),
        *_handles(context),
        *_profiles(context),
        *_providers(context, state),
        *_not_given(),
    ]


def _not_given() -> collections.abc.Iterator[Finding]:
    """Find devices that Cyborg dedicates, and hypervisors do not give away.

    Only servers' faults tell: what else uses a device is known on its host.
    """
    for server_id, message in sorted(servers.faults().items()):
        match = _NOT_GIVEN.search(message)
        if match:
            yield Finding(
                'device-not-given',
                f'{match["host"]}/{match["slot"]}',
                f'Server {server_id} did not get the device: '
                f'{match["reason"]}',
            )


def _held(
    context: cyborg_context.RequestContext,
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[Finding]:
    for holder in audit.holders(context):
        finding = _about_holder(holder, state(holder.server_id))
        if finding:
            yield finding


def _about_holder(holder: audit.Holder, state: _State) -> Finding | None:
    server_id = holder.server_id
    if state is _State.GONE:
        return Finding(
            'held-by-no-server',
            server_id,
            'Nova does not know the server that holds device contexts.',
            functools.partial(unbinding.release, server_id),
        )
    if state is _State.UNKNOWN:
        return Finding(
            'unknown-server',
            server_id,
            'Nova does not say whether there is the server that holds '
            'device contexts. The log says why.',
        )
    if state is _State.NEVER_BUILT:
        return Finding(
            'held-by-failed-server',
            server_id,
            'The server could not be built, and holds device contexts.',
            functools.partial(
                unbinding.take_back, server_id, terminated=False
            ),
        )
    if state is _State.OFFLOADED and holder.has_arqs:
        return Finding(
            'devices-of-offloaded-server',
            server_id,
            'The server is on no host, and devices are bound for it.',
            functools.partial(
                unbinding.unbind_all, server_id, holder.generation
            ),
        )
    if state is _State.SETTLED and not holder.has_arqs:
        return Finding(
            'server-without-devices',
            server_id,
            'The server is on a host, and no device is bound for it. Shelve '
            'it with offloading, and unshelve it.',
        )
    return None


def _left_behind(
    context: cyborg_context.RequestContext,
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[Finding]:
    for server_id, left in devices.left_behind(context).items():
        if state(server_id) is not _State.SETTLED:
            # What is not on its new host may stay on the old one.
            continue
        node = servers.node(server_id)
        if node not in (None, left):
            yield Finding(
                'devices-left-behind',
                server_id,
                f'The server was evacuated from {left}, and has devices '
                'there.',
                functools.partial(unbinding.settle, server_id, node),
            )


def _unlinked(
    context: cyborg_context.RequestContext,
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[Finding]:
    for arq_id, server_id in audit.unlinked_arqs(context).items():
        unused = server_id is None or state(server_id) is _State.GONE
        yield Finding(
            'arq-of-no-context',
            arq_id,
            'The accelerator request belongs to no device context'
            + ('.' if unused else f', and to server {server_id}.'),
            # What a server that exists may have in its guest stays.
            functools.partial(_free_arq, context, arq_id) if unused else None,
        )


def _of_profiles(
    context: cyborg_context.RequestContext,
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[Finding]:
    holders = {each.server_id for each in audit.holders(context)}
    for server_id, arq_ids in audit.arqs_of_profiles(context).items():
        # A holder gives it back with its device contexts.
        if server_id not in holders and state(server_id) is _State.GONE:
            yield Finding(
                'arqs-of-no-server',
                server_id,
                f'Nova does not know the server that {len(arq_ids)} '
                'accelerator requests of a device profile are for.',
                functools.partial(unbinding.free, arq_ids),
            )


def _handles(
    context: cyborg_context.RequestContext,
) -> collections.abc.Iterator[Finding]:
    for handle in audit.unused_handles(context):
        yield Finding(
            'handle-of-no-arq',
            handle.uuid,
            'The attach handle is in use, by no accelerator request.',
            functools.partial(unbinding.free_handle, handle),
        )
    for handle_id, row_id in audit.lost_handles(context).items():
        yield Finding(
            'free-handle-of-arq',
            handle_id,
            'An accelerator request uses the attach handle, which counts as '
            'free.',
            functools.partial(audit.set_in_use, context, row_id),
        )
    for handle_id, count in audit.shared_handles(context).items():
        yield Finding(
            'handle-of-several-arqs',
            handle_id,
            f'{count} accelerator requests use the attach handle. Delete '
            'all but one of their servers.',
        )


def _free_arq(context: cyborg_context.RequestContext, arq_id: str) -> None:
    unbinding.free([arq_id])
    for row_id in audit.unused_profiles(context).values():
        audit.remove_profile(context, row_id)


def _profiles(
    context: cyborg_context.RequestContext,
) -> collections.abc.Iterator[Finding]:
    for name, row_id in audit.unused_profiles(context).items():
        yield Finding(
            'profile-of-no-arq',
            name,
            'The hidden device profile has no accelerator request.',
            functools.partial(audit.remove_profile, context, row_id),
        )


def _providers(
    context: cyborg_context.RequestContext,
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[Finding]:
    placement = placement_api.Placement()
    found = {
        provider: (in_cyborg, placement.consumers(provider))
        for provider, in_cyborg in audit.providers(context).items()
    }
    holders = {each.server_id: each for each in audit.holders(context)}
    # After the allocations: Nova notes a migration before it allocates.
    migrations = functools.cache(servers.migrations)
    stray = dict(_stray(found.values(), holders, state))
    yield from stray.values()
    elsewhere = stray.keys() | devices.left_behind(context)
    for provider, (in_cyborg, in_placement) in found.items():
        for server_id in sorted(in_cyborg):
            # Of device profiles, it is Nova's business how many.
            enough = in_cyborg[server_id].count if server_id in holders else 1
            if (
                in_placement.get(server_id, 0) >= enough
                # What one that is gone, or on no host, has left is found
                # otherwise.
                or server_id in elsewhere
                or state(server_id) not in _ON_HOST
            ):
                continue
            yield Finding(
                'no-placement-allocation',
                f'{provider}/{server_id}',
                'The server has devices of the resource provider, and no '
                'allocation in Placement, or of less.',
                functools.partial(
                    placement.allocate,
                    provider,
                    server_id,
                    in_cyborg[server_id].count,
                ),
            )
        for server_id in sorted(in_placement):
            consumer = _Consumer(
                provider,
                server_id,
                in_placement[server_id],
                in_cyborg.get(server_id),
                server_id in holders,
            )
            finding = _about_consumer(
                placement, consumer, state(server_id), migrations
            )
            if finding:
                yield finding


def _stray(
    found: collections.abc.Iterable[
        tuple[dict[str, audit.Use], dict[str, int]]
    ],
    holders: dict[str, audit.Holder],
    state: collections.abc.Callable[[str], _State],
) -> collections.abc.Iterator[tuple[str, Finding]]:
    """Find servers whose devices are where they could not be evacuated to."""
    for in_cyborg, in_placement in found:
        for server_id in sorted(in_cyborg.keys() - in_placement.keys()):
            if server_id not in holders or state(server_id) != _State.FAILED:
                continue
            if servers.node(server_id) in (None, in_cyborg[server_id].node):
                continue
            generation = holders[server_id].generation
            runs = servers.may_run_elsewhere(server_id)
            yield (
                server_id,
                Finding(
                    'devices-on-another-host',
                    server_id,
                    'The server could not be evacuated to the host that '
                    'devices are bound on for it'
                    + (', and its guest may run there' if runs else '')
                    + '. Evacuate it again.',
                    # It would be given to another guest.
                    None
                    if runs
                    else functools.partial(
                        unbinding.unbind_elsewhere, server_id, generation
                    ),
                ),
            )


def _about_consumer(
    placement: placement_api.Placement,
    consumer: _Consumer,
    state: _State,
    migrations: collections.abc.Callable[[], frozenset[str] | None],
) -> Finding | None:
    server_id = consumer.server_id
    subject = f'{consumer.provider}/{server_id}'
    if state is _State.GONE:
        if consumer.use is None:
            # It may be a server's migration.
            found = migrations()
            if found is None or server_id in found:
                return None
        return Finding(
            'allocation-of-no-server',
            subject,
            'Nova does not know the server that Placement has an allocation '
            'of.',
            functools.partial(placement.forget, server_id),
        )
    if state is _State.OFFLOADED:
        return Finding(
            'allocation-of-offloaded-server',
            subject,
            'The server is on no host, and Placement has an allocation of it.',
            functools.partial(_forget, placement, server_id, state),
        )
    if state is _State.NEVER_BUILT:
        return Finding(
            'allocation-of-failed-server',
            subject,
            'The server could not be built, and Placement has an allocation '
            'of it.',
            functools.partial(_forget, placement, server_id, state),
        )
    if consumer.has_devices or state not in _ON_HOST:
        return None
    return _without_devices(placement, consumer, state)


def _forget(
    placement: placement_api.Placement, server_id: str, state: _State
) -> None:
    # Nova says that it is unshelved before it chooses a host.
    if servers.state(server_id) is state:
        placement.forget(server_id)


def _without_devices(
    placement: placement_api.Placement, consumer: _Consumer, state: _State
) -> Finding | None:
    if servers.is_evacuated(consumer.server_id):
        # Nova keeps what an evacuated server has on its old host until that
        # is back.
        return None
    if consumer.use is None:
        finding = _on_another_host(placement, consumer, state)
        if finding:
            return finding
        if consumer.is_holder and state is _State.FAILED:
            # It could not be evacuated, and where it was to go is not known:
            # Nova forgets it when it is evacuated again.
            return None
    return Finding(
        'no-device',
        f'{consumer.provider}/{consumer.server_id}',
        'The server has an allocation in Placement, and no device of the '
        'resource provider, or fewer. Unless its flavor asks for it without '
        'a device profile, shelve it with offloading, and unshelve it.',
    )


def _on_another_host(
    placement: placement_api.Placement, consumer: _Consumer, state: _State
) -> Finding | None:
    """Find what Nova has allocated on a host, and not gone there with.

    If Placement's answer is lost, for example, it takes another host.
    """
    provider, server_id = consumer.provider, consumer.server_id
    node = servers.node(server_id)
    if node is None or placement.node(provider) in (None, node):
        return None
    runs = state is _State.FAILED and servers.may_run_elsewhere(server_id)
    return Finding(
        'allocation-on-another-host',
        f'{provider}/{server_id}',
        f'The server is on {node}, and Placement has an allocation of it on '
        'another host'
        + (', where its guest may run. Evacuate it again.' if runs else '.'),
        None
        if runs
        else functools.partial(
            placement.withdraw,
            provider,
            server_id,
            functools.partial(_stays, server_id, node),
        ),
    )


def _stays(server_id: str, node: str) -> bool:
    return (
        servers.state(server_id) in _ON_HOST
        and servers.node(server_id) == node
    )
