# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_allocations``: what Nova works with, by server."""

import collections.abc
import logging
import typing as ty

import pecan
from cyborg.conf import CONF
from pecan import rest

from nova_cyborg import exception, model
from nova_cyborg.api.controllers import (
    accelerator_requests,
    handler,
    views,
)
from nova_cyborg.api.controllers.answers import device_context_limits
from nova_cyborg.api.policies import device_allocation as policies
from nova_cyborg.api.schemas import device_allocation as schemas
from nova_cyborg.api.schemas import explanation
from nova_cyborg.db import allocations, contexts
from nova_cyborg.db.bindings import (
    attempts,
    detaching,
    moves,
    transitions,
)
from nova_cyborg.db.inventory import taints
from nova_cyborg.db.reconciler import holders, leases
from nova_cyborg.lifecycle import (
    attaching,
    bind,
    bounds,
    heal,
    nova,
    release,
    unbind,
)
from nova_cyborg.lifecycle.explaining import explain

LOG = logging.getLogger(__name__)

# How long one nova-conductor is the one that is told of overdue servers: more
# than twice the time between two of its calls.
_LEASE_SECONDS = 75
# How many servers it is told of at once.
_OVERDUE = 50


class DeviceAllocationsController(rest.RestController):
    """The device contexts that servers hold."""

    _custom_actions: ty.ClassVar = {
        'check': ['POST'],
        'overdue': ['POST'],
        'begin': ['POST'],
        'bind': ['POST'],
        'activate': ['POST'],
        'unbind': ['POST'],
        'settle': ['POST'],
        'attach': ['POST'],
        'attached': ['POST'],
        'detach': ['POST'],
        'unplug': ['POST'],
        'detached': ['POST'],
        'explain': ['POST'],
    }

    @handler.handle(policies.GET, service_only=True)
    def get_one(self, server_id: str) -> dict[str, ty.Any]:
        """Show a server's allocation."""
        return _as_dict(
            allocations.get(handler.request_context(), _known(server_id))
        )

    @handler.handle(policies.CHECK, service_only=True)
    def check(self) -> dict[str, ty.Any]:
        """Show device contexts as a reservation would find them.

        Nothing is changed, and Nova is not asked whether a server that
        holds one is gone: it is Nova's API that waits for the answer.
        """
        body = handler.read_body(schemas.CHECK)
        found = contexts.of_project(
            handler.request_context(), _wanted_contexts(body)
        )
        contexts.check_tags(found)
        _bounds().check(found)
        device_context_limits.of_project().check_unheld(
            handler.request_context(),
            [each for each in found if not each.server_id],
        )
        return {
            'device_contexts': [views.for_nova(each) for each in found],
            'combinations': _combinations(
                found, body, taints.keys(handler.request_context())
            ),
        }

    @handler.handle(policies.OVERDUE, service_only=True)
    def overdue(self) -> dict[str, ty.Any]:
        """List servers of which something has been under way for long.

        One process at a time is told of any.
        """
        body = handler.read_body(schemas.OVERDUE)
        context = handler.request_context()
        process = handler.canonical(body['process'])
        lease = leases.take(
            context,
            leases.CONDUCTOR,
            process,
            body['host'],
            _LEASE_SECONDS,
        )
        told = lease.holder == process
        found = (
            holders.overdue(context, body['seconds'], body['marker'], _OVERDUE)
            if told
            else []
        )
        # From the first again after the last.
        more = len(found) == _OVERDUE
        return {
            'told': told,
            'servers': [each.server_id for each in found],
            'marker': found[-1].row_id if more else 0,
        }

    @handler.handle(policies.RESERVE, service_only=True)
    def put(self, server_id: str) -> dict[str, ty.Any]:
        """Reserve device contexts of the request's project, all or none."""
        server_id = _known(server_id)
        body = handler.read_body(schemas.RESERVE)
        context_ids = _wanted_contexts(body)
        caller = handler.canonical(body['caller'])
        context = handler.request_context()
        check = _bounds().check
        limits = device_context_limits.of_project()
        allocation = heal.contexts_in_use(
            nova.Nova(),
            lambda: allocations.reserve(
                context, server_id, context_ids, caller, check, limits
            ),
        )
        LOG.info(
            'Server %s holds the device contexts %s',
            server_id,
            ', '.join(context_ids),
        )
        return _as_asked(allocation, body)

    @handler.handle(policies.BEGIN, service_only=True)
    def begin(self, server_id: str) -> dict[str, ty.Any]:
        """Begin to bring a server that exists to a host."""
        server_id = _known(server_id)
        body = handler.read_body(schemas.BEGIN)
        allocation = attempts.begin(
            handler.request_context(),
            server_id,
            body['operation'],
            handler.canonical(body['caller']),
        )
        return _as_asked(allocation, body)

    @handler.handle(policies.BIND, status=202, service_only=True)
    def bind(self, server_id: str) -> dict[str, ty.Any]:
        """Begin to bind; how it ends comes to Nova as an event.

        Of what is attached, it does not: Nova asks.
        """
        server_id = _known(server_id)
        begun = _begin_binding(server_id)
        LOG.info(
            'Binding %d accelerator requests of server %s on %s',
            len(begun.arqs),
            server_id,
            begun.hostname,
        )
        return {
            'generation': begun.generation,
            'arqs': [arq['uuid'] for arq in begun.arqs],
        }

    @handler.handle(policies.ACTIVATE, service_only=True)
    def activate(self, server_id: str) -> dict[str, ty.Any]:
        """Have a server use what was bound for a migration, and show it."""
        server_id = _known(server_id)
        body = handler.read_body(schemas.OF_MIGRATION)
        migration_id = handler.canonical(body['migration'])
        moves.activate(handler.request_context(), server_id, migration_id)
        LOG.info(
            'Server %s uses the devices of migration %s',
            server_id,
            migration_id,
        )
        return accelerator_requests.of_migration(server_id, migration_id)

    @handler.handle(policies.UNBIND, status=204, service_only=True)
    def unbind(self, server_id: str) -> None:
        """Unbind devices; the server keeps its device contexts.

        Those of an attempt that is given by its generation or by
        accelerator requests that it has made, or those of a migration.
        """
        server_id = _known(server_id)
        body = handler.read_body(
            schemas.UNBIND, ('migration', schemas.UNBIND_MIGRATION)
        )
        if 'generation' in body:
            unbind.last_attempt(server_id, body['generation'])
        elif 'arqs' in body:
            arq_ids = [handler.canonical(uuid) for uuid in body['arqs']]
            unbind.attempt(server_id, arq_ids)
        else:
            unbind.migration(
                server_id,
                handler.canonical(body['migration']),
                body.get('hostname'),
            )

    @handler.handle(policies.SETTLE, status=204, service_only=True)
    def settle(self, server_id: str) -> None:
        """Unbind what a server has left that stays where it was moved to."""
        server_id = _known(server_id)
        body = handler.read_body(schemas.OF_MIGRATION)
        unbind.left(server_id, handler.canonical(body['migration']))

    @handler.handle(
        policies.RELEASE, status=204, service_only=True, query=schemas.RELEASE
    )
    def delete(self, server_id: str) -> None:
        """Unbind the devices and release the device contexts."""
        query = handler.read_query()
        caller = query.get('caller')
        caller = caller and handler.canonical(caller)
        if 'kept' in query:
            release.contexts(_known(server_id), False, caller)
        else:
            release.of_server(
                nova.Nova(), _known(server_id), caller, 'terminated' in query
            )

    @handler.handle(policies.ATTACH, service_only=True)
    def attach(self, server_id: str) -> dict[str, ty.Any]:
        """Begin to give a device context to a server that exists."""
        body = handler.read_body(schemas.ATTACH)
        begun = attaching.begin(
            handler.request_context(),
            _call_of(server_id, body),
            body['project_id'],
            body.get('tag'),
            _bounds().check,
            device_context_limits.of_project(body['project_id']),
        )
        held = begun.allocation.device_contexts
        tainted = taints.keys(handler.request_context())
        return {
            'generation': begun.allocation.generation,
            'device_context': views.for_nova(begun.context),
            'taints': sorted(tainted),
            'resumed': begun.resumed,
            'held': [each.uuid for each in held],
            'groups': sum(len(each.groups) for each in held),
            'combinations': _combinations(held, body, tainted),
        }

    @handler.handle(policies.ATTACHED, status=204, service_only=True)
    def attached(self, server_id: str) -> None:
        """Say that a server has a device context, or that it keeps it."""
        server_id = _known(server_id)
        body = handler.read_body(schemas.ATTACHED)
        caller = body.get('caller')
        attaching.end(
            handler.request_context(),
            server_id,
            handler.canonical(body['device_context']),
            caller and handler.canonical(caller),
            body.get('fault'),
        )

    @handler.handle(policies.DETACH, service_only=True)
    def detach(self, server_id: str) -> dict[str, ty.Any]:
        """Begin to take a device context from a server that exists."""
        body = handler.read_body(schemas.DETACH)
        found = detaching.begin(
            handler.request_context(), _call_of(server_id, body)
        )
        return {'device_context': views.for_nova(found)}

    @handler.handle(policies.UNPLUG, service_only=True)
    def unplug(self, server_id: str) -> dict[str, ty.Any]:
        """Unbind a device context, and say what the server still uses."""
        body = handler.read_body(schemas.UNPLUG)
        found = attaching.unplug(
            _call_of(server_id, body),
            {handler.canonical(each) for each in body['resource_providers']},
        )
        return {'resources': found}

    @handler.handle(policies.DETACHED, service_only=True)
    def detached(self, server_id: str) -> dict[str, ty.Any]:
        """Release a device context of a server that exists."""
        body = handler.read_body(schemas.DETACHED)
        left = attaching.end_detaching(
            handler.request_context(),
            _call_of(server_id, body),
            body.get('fault'),
        )
        return {'contexts': left}

    @handler.handle(policies.EXPLAIN, service_only=True)
    def explain(self, server_id: str) -> dict[str, ty.Any]:
        """Say why Nova has found no host, and record it."""
        body = handler.read_body(explanation.OF_SERVER)
        sentence = explain.of_server(
            handler.request_context(),
            _known(server_id),
            body['query'],
            body.get('names_host', False),
            body.get('leaves_host', False),
            body.get('no_other', False),
        )
        return {'sentence': sentence}


def _begin_binding(server_id: str) -> attempts.Binding:
    body = handler.read_body(
        schemas.BIND, ('device_context', schemas.BIND_ATTACHED)
    )
    context = handler.request_context()
    conductor = pecan.request.conductor_api
    providers = {
        group: handler.canonical(provider)
        for group, provider in body['resource_providers'].items()
    }
    # Not how many they are: what the server has had it may have again, on
    # another host; and what is attached was counted.
    check = _bounds().check_classes
    if 'device_context' in body:
        call = _call_of(server_id, body)
        return bind.begin_attached(
            context, conductor, call, body['hostname'], providers, check
        )
    wanted = attempts.Wanted(
        server_id,
        body['hostname'],
        providers,
        body['generation'],
        _migration_of(body),
    )
    return bind.begin(context, conductor, wanted, check)


def _call_of(server_id: str, body: dict[str, ty.Any]) -> transitions.Call:
    return transitions.Call(
        _known(server_id),
        handler.canonical(body['device_context']),
        handler.canonical(body['caller']),
    )


def _bounds() -> bounds.Bounds:
    options = CONF.nova_cyborg
    return bounds.of_cloud(
        handler.request_context(),
        options.max_accelerators_per_server,
        options.allowed_resource_classes,
    )


def _migration_of(body: dict[str, ty.Any]) -> str | None:
    migration_id = body.get('migration')
    return migration_id and handler.canonical(migration_id)


def _wanted_contexts(body: dict[str, ty.Any]) -> list[str]:
    """Return which device contexts a server is to be given."""
    context_ids = [
        handler.context_id(uuid) for uuid in body['device_contexts']
    ]
    for uuid in context_ids:
        if context_ids.count(uuid) > 1:
            raise exception.DeviceContextRepeated(id=uuid)
    return context_ids


def _as_dict(allocation: model.Allocation) -> dict[str, ty.Any]:
    return {
        'server_id': allocation.server_id,
        'project_id': allocation.project_id,
        'generation': allocation.generation,
        'fault': allocation.fault,
        'device_contexts': [
            views.for_nova(context) for context in allocation.device_contexts
        ],
    }


def _as_asked(
    allocation: model.Allocation, body: dict[str, ty.Any]
) -> dict[str, ty.Any]:
    """Return an allocation whose server is about to be scheduled."""
    tainted = taints.keys(handler.request_context())
    found = _combinations(allocation.device_contexts, body, tainted)
    return {
        **_as_dict(allocation),
        'combinations': found,
        'taints': sorted(tainted),
    }


def _combinations(
    found: collections.abc.Iterable[model.DeviceContext],
    body: dict[str, ty.Any],
    tainted: collections.abc.Set[str],
) -> dict[str, int]:
    return bounds.combinations_of(
        handler.request_context(),
        found,
        body.get('device_profile'),
        body.get('flavor_resources', ()),
        tainted,
    ).as_dict()


def _known(server_id: str) -> str:
    return handler.canonical_uuid(
        server_id, exception.AllocationNotFound(server_id=server_id)
    )
