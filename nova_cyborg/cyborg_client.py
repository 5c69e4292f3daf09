# SPDX-License-Identifier: Apache-2.0

"""Nova's side of the device-allocation API: the only HTTP to cyborg-api.

Every error is turned into one of the project's exceptions here, once, with
a sentence that can be shown as a server's fault.
"""

import collections.abc
import dataclasses
import http
import logging
import typing as ty
from urllib import parse

from keystoneauth1 import adapter as ks_adapter
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg import combinations as counting
from nova_cyborg import exception, model

LOG = logging.getLogger(__name__)

# The paths begin without a version, which Cyborg's root controller takes as
# v2, whether the catalog's endpoint ends in /v2 or not.
_ALLOCATIONS = '/device_allocations'
_CHECK = f'{_ALLOCATIONS}/check'
_OVERDUE = f'{_ALLOCATIONS}/overdue'
_ARQS = '/accelerator_requests'
# Types of attach handles.
_WITH_SLOT = ('PCI', 'MDEV')
_Read = ty.TypeVar('_Read')
# In this order: the first that an error is an instance of.
_REASONS = {
    ks_exc.EndpointNotFound: 'the catalog has no endpoint for it',
    ks_exc.ConnectTimeout: 'it timed out',
    ks_exc.ConnectionError: 'the connection failed',
    ks_exc.Unauthorized: 'the token was refused',
}


@dataclasses.dataclass(frozen=True)
class AllocatedContext:
    """A device context of a server's allocation.

    :ivar uuid: its UUID.
    :ivar groups: its request groups.
    :ivar live_migration: one of :class:`model.LiveMigration`.
    :ivar bindings: its devices on each node.
    :ivar name: its name, if it has one.
    :ivar tag: what its device is found by in the guest, if it has a tag.
    :ivar status: one of :class:`model.Status`.
    :ivar fault: what went wrong with it last; None if nothing did.
    """

    uuid: str
    groups: tuple[model.Choice, ...]
    live_migration: str
    bindings: tuple[model.Binding, ...]
    name: str | None = None
    tag: str | None = None
    status: str = model.Status.RESERVED
    fault: str | None = None

    @property
    def left_missing(self) -> list[str]:
        """Slots that are missing where its server has left, and may go back.

        Of one whose address is lost, the accelerator request is named.
        """
        return [
            device.slot or device.arq_id
            for binding in self.bindings
            if binding.state == model.BindingState.LEAVING
            for device in binding.devices
            if device.missing
        ]


@dataclasses.dataclass(frozen=True)
class CheckedContext(AllocatedContext):
    """A device context that a new server is to be given.

    :ivar holder: UUID of the server that holds it, or None.
    """

    holder: str | None = None


@dataclasses.dataclass(frozen=True)
class ServerAllocation:
    """As much of a server's allocation as Nova's side works with.

    :ivar generation: that of the attempt to bring the server to a host.
    :ivar fault: why the last binding failed, or what it has lost; or None.
    :ivar contexts: its device contexts.
    :ivar combinations: of devices, which Placement tries for it; none if it
        is not about to be scheduled.
    :ivar taints: keys of all taints that devices have; none if it is not
        about to be scheduled.
    """

    generation: int
    fault: str | None
    contexts: tuple[AllocatedContext, ...]
    combinations: counting.Combinations = counting.NONE
    taints: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Attachment:
    """A device context that a server is about to get while it exists.

    :ivar context: the device context.
    :ivar taints: keys of all taints that devices have.
    :ivar resumed: whether another call had begun to attach it: what that has
        done may be there.
    :ivar held: UUIDs of all device contexts that the server holds then.
    :ivar groups: how many request groups the server has with it.
    :ivar combinations: of devices, which Placement would try for the server
        with all that it has then, if it is moved.
    """

    context: AllocatedContext
    taints: tuple[str, ...]
    resumed: bool
    held: tuple[str, ...]
    groups: int = 0
    combinations: counting.Combinations = counting.NONE


@dataclasses.dataclass(frozen=True)
class FlavorRequest:
    """What a flavor asks Placement for, beside device contexts.

    :ivar profile: the name of its device profile, if any.
    :ivar resources: amounts by resource class; one item for each provider
        that Placement chooses.
    """

    profile: str | None = None
    resources: tuple[collections.abc.Mapping[str, int], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return it in the form of the API, without what is not asked for."""
        found: dict[str, object] = {}
        if self.profile:
            found['device_profile'] = self.profile
        if self.resources:
            found['flavor_resources'] = [dict(each) for each in self.resources]
        return found


@dataclasses.dataclass(frozen=True)
class Checked:
    """What a new server is to be given.

    :ivar contexts: the device contexts.
    :ivar combinations: of devices, which Placement tries for it.
    """

    contexts: tuple[CheckedContext, ...]
    combinations: counting.Combinations


@dataclasses.dataclass(frozen=True)
class Overdue:
    """Servers of which something has been under way for long.

    :ivar told: whether it is this process that is told of them.
    :ivar server_ids: their UUIDs.
    :ivar marker: what to ask for the next ones with.
    """

    told: bool
    server_ids: tuple[str, ...]
    marker: int


def slot(arq: collections.abc.Mapping[str, ty.Any]) -> str | None:
    """Return the slot of an accelerator request, as device contexts show it.

    :param arq: the request as Cyborg's API shows it.
    :returns: the PCI address, or the UUID of the mediated device; None for
        a handle of another type, or none.
    """
    if arq['attach_handle_type'] not in _WITH_SLOT:
        return None
    return model.Device(
        arq_id=arq['uuid'],
        group=0,
        state=arq['state'],
        attach_handle_type=arq['attach_handle_type'],
        attach_handle_id=arq['attach_handle_uuid'],
        attach_handle_info=arq['attach_handle_info'],
    ).slot


def refuse_missing(
    server_id: str,
    arqs: collections.abc.Iterable[collections.abc.Mapping[str, ty.Any]],
) -> None:
    """Refuse to start a server without devices that it has.

    :param server_id: UUID of the server.
    :param arqs: its accelerator requests as Cyborg's API shows them.
    :raises DeviceMissing: if one has lost its slot, or its host does not
        report it any more; it names the slots, and the request of one whose
        address is lost.
    """
    # Where cyborg-api is without the plugin, there is no such field.
    slots = [slot(arq) or arq['uuid'] for arq in arqs if arq.get('missing')]
    if slots:
        raise exception.DeviceMissing(
            server_id=server_id, slots=', '.join(slots)
        )


class AllocationClient:
    """Calls about the device contexts of servers.

    :param adapter: an adapter for the accelerator service, with the user's
        and the service's token.
    """

    def __init__(self, adapter: ks_adapter.Adapter) -> None:
        self._adapter = adapter

    def check(
        self,
        context_ids: collections.abc.Sequence[str],
        flavor: FlavorRequest | None = None,
    ) -> Checked:
        """Look at device contexts for a server that is not made yet.

        :param context_ids: UUIDs of the device contexts.
        :param flavor: what its flavor asks for besides, if anything.
        :returns: the device contexts, and what they cost Placement.
        :raises DeviceContextNotFound: if one is not in the project.
        :raises TagInUse: if two of them have one tag.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _body(flavor, device_contexts=list(context_ids))
        response = self._call('POST', _CHECK, body)
        return _read(response, _checked)

    def get(self, server_id: str) -> ServerAllocation:
        """Read a server's allocation.

        :param server_id: UUID of the server.
        :returns: the allocation.
        :raises AllocationNotFound: if it holds no device contexts.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        response = self._call('GET', _path(server_id))
        return _read(response, _allocation)

    def reserve(
        self,
        server_id: str,
        context_ids: collections.abc.Sequence[str],
        caller: str,
        flavor: FlavorRequest | None = None,
    ) -> ServerAllocation:
        """Give device contexts to a new server, all or none; safe to repeat.

        :param server_id: UUID of the server.
        :param context_ids: UUIDs of the device contexts.
        :param caller: UUID of the attempt to build the server.
        :param flavor: what its flavor asks for besides, if anything.
        :returns: the allocation.
        :raises AlreadyBegun: if another caller builds the server.
        :raises DeviceContextNotFound: if one is not in the project.
        :raises DeviceContextInUse: if another server holds one.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _body(flavor, device_contexts=list(context_ids), caller=caller)
        response = self._call('PUT', _path(server_id), body)
        return _read(response, _allocation)

    def begin(
        self,
        server_id: str,
        operation: str,
        caller: str,
        flavor: FlavorRequest | None = None,
    ) -> ServerAllocation:
        """Begin to bring a server that exists to a host; safe to repeat.

        :param server_id: UUID of the server.
        :param operation: what is done: the same when Nova's message bus
            delivers one message twice.
        :param caller: UUID of the attempt: another one then.
        :param flavor: what its flavor asks for besides, if anything.
        :returns: the allocation.
        :raises AllocationNotFound: if it holds no device contexts.
        :raises AlreadyBegun: if another caller does the same operation.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _body(flavor, operation=operation, caller=caller)
        response = self._call('POST', _path(server_id, '/begin'), body)
        return _read(response, _allocation)

    def bind(
        self,
        server_id: str,
        node: str,
        providers: collections.abc.Mapping[str, str],
        generation: int,
        migration_id: str | None = None,
    ) -> list[str]:
        """Begin to bind a server's device contexts; safe to repeat.

        :param server_id: UUID of the server.
        :param node: the node the server is to run on.
        :param providers: UUID of the resource provider by the request
            group's requester id.
        :param generation: that of the attempt.
        :param migration_id: UUID of Nova's migration, if the server is moved;
            None if it is not. What it has is used until :meth:`activate`,
            and stays bound until :meth:`settle`.
        :returns: UUIDs of the accelerator requests.
        :raises StaleGeneration: if another attempt was begun in between.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {
            'hostname': node,
            'resource_providers': dict(providers),
            'generation': generation,
        }
        if migration_id:
            body['migration'] = migration_id
        response = self._call('POST', _path(server_id, '/bind'), body)
        return _read(response, _arq_ids)

    def unbind(self, server_id: str, generation: int) -> None:
        """Unbind a server's devices; it keeps its device contexts.

        :param server_id: UUID of the server.
        :param generation: that of the attempt.
        :raises StaleGeneration: if another attempt was begun in between.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {'generation': generation}
        self._call('POST', _path(server_id, '/unbind'), body)

    def unbind_attempt(
        self, server_id: str, arq_ids: collections.abc.Iterable[str]
    ) -> None:
        """Unbind the devices that an attempt has bound; safe to repeat.

        :param server_id: UUID of the server; it keeps its device contexts.
        :param arq_ids: UUIDs of accelerator requests, which the attempt has
            made; those of profiles, too.
        :raises OtherAttempt: if another attempt has bound others.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {'arqs': list(arq_ids)}
        self._call('POST', _path(server_id, '/unbind'), body)

    def activate(
        self, server_id: str, migration_id: str
    ) -> list[dict[str, ty.Any]]:
        """Have a server use what was bound for a migration; safe to repeat.

        :param server_id: UUID of the server.
        :param migration_id: UUID of Nova's migration.
        :returns: the accelerator requests, as the API shows them.
        :raises BindingNotFound: if nothing was bound for it.
        :raises OtherAttempt: if the server was moved on since.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        response = self._call(
            'POST', _path(server_id, '/activate'), {'migration': migration_id}
        )
        return _read(response, _arqs)

    def unbind_migration(
        self, server_id: str, migration_id: str, node: str | None = None
    ) -> None:
        """Unbind what was bound for a migration; safe to repeat.

        If the server uses it, it uses again what it was leaving.

        :param server_id: UUID of the server.
        :param migration_id: UUID of Nova's migration.
        :param node: the node that it was bound on: Nova tries several with
            one migration. None for the one that was tried last.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _given(migration=migration_id, hostname=node)
        self._call('POST', _path(server_id, '/unbind'), body)

    def settle(
        self, server_id: str, migration_id: str, within: float | None = None
    ) -> None:
        """Unbind what a server has left that was moved; safe to repeat.

        Nothing, if it does not use what was bound for the migration.

        :param server_id: UUID of the server.
        :param migration_id: UUID of Nova's migration.
        :param within: for how many seconds Cyborg is waited for; None for as
            long as for any call.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {'migration': migration_id}
        self._call('POST', _path(server_id, '/settle'), body, within)

    def release(
        self,
        server_id: str,
        caller: str | None = None,
        terminated: bool = False,
        kept: bool = False,
        within: float | None = None,
    ) -> None:
        """Release a server's device contexts; safe to repeat.

        :param server_id: UUID of the server.
        :param caller: UUID of the attempt that has reserved them; None for
            any.
        :param terminated: whether the server is gone for good; Cyborg asks
            Nova unless it is.
        :param kept: whether no device context is deleted, even so; nor is
            Nova asked.
        :param within: for how many seconds Cyborg is waited for; None for as
            long as for any call.
        :raises AlreadyBegun: if another caller has.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        given = {
            'caller': caller,
            'terminated': 'true' if terminated else '',
            'kept': 'true' if kept else '',
        }
        query = parse.urlencode({k: v for k, v in given.items() if v})
        path = _path(server_id, f'?{query}' if query else '')
        self._call('DELETE', path, within=within)

    def overdue(
        self, process: str, host: str, seconds: int, marker: int
    ) -> Overdue:
        """Find servers of which something has been under way for long.

        :param process: a UUID of this process; one process at a time is
            told of servers.
        :param host: the host that it is on.
        :param seconds: how long.
        :param marker: that of the answer before; 0 for the first ones.
        :returns: some servers, none if another process is told of them.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body: dict[str, ty.Any] = {
            'process': process,
            'host': host,
            'seconds': seconds,
            'marker': marker,
        }
        return _read(self._call('POST', _OVERDUE, body), _overdue)

    def attach(
        self,
        server_id: str,
        context_id: str,
        caller: str,
        project_id: str,
        tag: str | None = None,
        flavor: FlavorRequest | None = None,
    ) -> Attachment:
        """Begin to give a device context to a server that exists.

        Safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context.
        :param caller: UUID of the call, which the next ones are made with.
        :param project_id: the server's project, which owns the device
            context.
        :param tag: the tag that the device context is to have; None for the
            one that it has.
        :param flavor: what the server's flavor asks for besides, if anything.
        :returns: the device context, which the server holds.
        :raises DeviceContextNotFound: if it is not in the project.
        :raises DeviceContextInUse: if another server holds it.
        :raises DeviceContextAttached: if this server has it.
        :raises DeviceContextDetaching: if this server is losing it.
        :raises TagInUse: if another device context of the server has its tag.
        :raises ServerMoving: if the server has devices on two hosts.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _body(
            flavor,
            device_context=context_id,
            caller=caller,
            project_id=project_id,
        )
        if tag is not None:
            body['tag'] = tag
        response = self._call('POST', _path(server_id, '/attach'), body)
        return _read(response, _attachment)

    def bind_attached(
        self,
        server_id: str,
        context_id: str,
        node: str,
        providers: collections.abc.Mapping[str, str],
        caller: str,
    ) -> list[str]:
        """Begin to bind a device context that is attached; safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context.
        :param node: the node that the server is on.
        :param providers: UUID of the resource provider by the request
            group's requester id.
        :param caller: UUID of the call that has begun to attach it.
        :returns: UUIDs of the accelerator requests.
        :raises OtherAttempt: if another call has taken over.
        :raises ServerMoving: if what the server uses is on another node.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {
            'hostname': node,
            'resource_providers': dict(providers),
            'device_context': context_id,
            'caller': caller,
        }
        response = self._call('POST', _path(server_id, '/bind'), body)
        return _read(response, _arq_ids)

    def attached(
        self,
        server_id: str,
        context_id: str,
        caller: str | None = None,
        fault: str | None = None,
    ) -> None:
        """Say that a server has a device context now; safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context.
        :param caller: UUID of the call that has begun to attach or to detach
            it; None for whichever has begun to detach it.
        :param fault: why it is not detached, or why its guest runs without
            its devices, for the project to read.
        :raises OtherAttempt: if another call has taken over.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _ended(context_id, caller, fault)
        self._call('POST', _path(server_id, '/attached'), body)

    def detach(
        self, server_id: str, context_id: str, caller: str
    ) -> AllocatedContext:
        """Begin to take a device context from a server; safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context.
        :param caller: UUID of the call, which the next ones are made with.
        :returns: the device context, which the server still holds.
        :raises DeviceContextNotAttached: if the server does not hold it.
        :raises ServerMoving: if the server has devices on two hosts.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {'device_context': context_id, 'caller': caller}
        response = self._call('POST', _path(server_id, '/detach'), body)
        return _read(response, _attached_context)

    def unplug(
        self,
        server_id: str,
        context_id: str,
        caller: str,
        providers: collections.abc.Iterable[str],
    ) -> dict[str, dict[str, int]]:
        """Unbind what a device context has that no guest has any more.

        Safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context.
        :param caller: UUID of the call that has begun to attach or to detach
            it.
        :param providers: UUIDs of the resource providers that Placement has
            allocated something of to the server.
        :returns: what the server still uses of those that are devices:
            amounts by resource class, by UUID of the provider.
        :raises OtherAttempt: if another call has taken over.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = {
            'device_context': context_id,
            'caller': caller,
            'resource_providers': list(providers),
        }
        response = self._call('POST', _path(server_id, '/unplug'), body)
        return _read(response, _resources)

    def detached(
        self,
        server_id: str,
        context_id: str,
        caller: str,
        fault: str | None = None,
    ) -> int:
        """Release a device context of a server; safe to repeat.

        :param server_id: UUID of the server.
        :param context_id: UUID of the device context; nothing of it is bound.
        :param caller: UUID of the call that has begun to attach or to detach
            it.
        :param fault: why it is not attached, for the project to read.
        :returns: how many device contexts the server still holds.
        :raises OtherAttempt: if another call has taken over.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body = _ended(context_id, caller, fault)
        response = self._call('POST', _path(server_id, '/detached'), body)
        return _read(response, _count)

    def explain(
        self,
        server_id: str,
        query: str,
        names_host: bool,
        leaves_host: bool = False,
        no_other: bool = False,
    ) -> str:
        """Have it explained why no host was found; it is recorded, too.

        :param server_id: UUID of the server, which holds device contexts.
        :param query: what Placement was asked with.
        :param names_host: whether a certain host was asked for besides.
        :param leaves_host: whether it is to be another host than the server's.
        :param no_other: whether no host was found with other alternatives,
            either.
        :returns: a sentence.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        body: dict[str, object] = {'query': query, 'names_host': names_host}
        if leaves_host:
            # A cyborg-api of an earlier release knows nothing of it.
            body['leaves_host'] = True
        if no_other:
            # An API of an earlier release, which refuses it, tells of none.
            body['no_other'] = True
        response = self._call('POST', _path(server_id, '/explain'), body)
        return _read(response, _sentence)

    def is_resolved(self, server_id: str) -> bool:
        """Tell whether the binding of a server's ARQs is over.

        :param server_id: UUID of the server.
        :returns: whether all are bound, or have failed.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        path = _arqs_path(server_id) + '&bind_state=resolved'
        try:
            self._call('GET', path)
        except exception.CyborgFailed as exc:
            if exc.kwargs['http_status'] == http.HTTPStatus.LOCKED:
                return False
            raise
        return True

    def arqs(
        self, server_id: str, migration_id: str | None = None
    ) -> list[dict[str, ty.Any]]:
        """Read the accelerator requests of a server.

        :param server_id: UUID of the server.
        :param migration_id: UUID of Nova's migration that they were made for;
            None for those that the server uses.
        :returns: the requests as the API shows them.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        response = self._call('GET', _arqs_path(server_id, migration_id))
        return _read(response, _arqs)

    def delete_arqs(self, arq_ids: collections.abc.Sequence[str]) -> None:
        """Delete accelerator requests of device profiles.

        :param arq_ids: their UUIDs.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        """
        path = f'{_ARQS}?arqs={",".join(arq_ids)}'
        self._call('DELETE', path)

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, ty.Any] | None = None,
        within: float | None = None,
    ) -> ty.Any:
        arguments: dict[str, ty.Any] = {} if body is None else {'json': body}
        if within is not None:
            # Nor is it repeated, whatever nova.conf says.
            arguments |= {
                'timeout': within,
                'connect_retries': 0,
                'status_code_retries': 0,
            }
        try:
            response = self._adapter.request(
                path, method, raise_exc=False, **arguments
            )
        except (
            ks_exc.ClientException,
            # An endpoint that is no URL.
            ValueError,
        ) as exc:
            LOG.warning('%s %s of Cyborg failed: %s', method, path, exc)
            raise exception.CyborgUnreachable(reason=_reason(exc)) from exc
        if response.status_code >= 400:
            raise _error(response)
        return response


def _overdue(found: dict[str, ty.Any]) -> Overdue:
    return Overdue(found['told'], tuple(found['servers']), found['marker'])


def _path(server_id: str, action: str = '') -> str:
    return f'{_ALLOCATIONS}/{server_id}{action}'


def _arqs_path(server_id: str, migration_id: str | None = None) -> str:
    path = f'{_ARQS}?instance={server_id}'
    return f'{path}&migration={migration_id}' if migration_id else path


def _body(flavor: FlavorRequest | None, **fields: object) -> dict[str, object]:
    # A flavor that asks for nothing besides is the rule.
    return {**fields, **flavor.as_dict()} if flavor else fields


def _ended(
    context_id: str, caller: str | None, fault: str | None
) -> dict[str, object]:
    # A text that Cyborg refuses would leave what is attached without an end.
    return _given(
        device_context=context_id,
        caller=caller,
        fault=fault and fault[: model.MAX_FAULT],
    )


def _given(**fields: str | None) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _reason(error: Exception) -> str:
    # The library's own sentences have the URL in them, which is too long for a
    # fault, and not for projects. They are in the log.
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return f'it could not be called ({type(error).__name__})'


def _error(response: ty.Any) -> exception.DeviceContextError:
    try:
        error = response.json()['errors'][0]
        found = exception.by_error_code(error['code'])
        detail = error['detail']
    except (ValueError, KeyError, IndexError, TypeError):
        found, detail = None, response.reason
    if found is not None:
        return found.from_detail(detail)
    # Stock Cyborg answers 405 to what is not a GET, wherever it goes.
    if response.status_code in (404, 405):
        return exception.CyborgWithoutDeviceContexts()
    if response.status_code in (502, 503, 504):
        return exception.CyborgUnreachable(
            reason=f'HTTP status {response.status_code}'
        )
    return exception.CyborgFailed(
        http_status=response.status_code, reason=detail
    )


def _read(
    response: ty.Any,
    read: collections.abc.Callable[[dict[str, ty.Any]], _Read],
) -> _Read:
    # What answers at the endpoint may be a proxy's page for people.
    try:
        return read(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise exception.CyborgFailed(
            http_status=response.status_code,
            reason='its answer cannot be understood.',
        ) from exc


def _arq_ids(body: dict[str, ty.Any]) -> list[str]:
    return list(body['arqs'])


def _arqs(body: dict[str, ty.Any]) -> list[dict[str, ty.Any]]:
    return list(body['arqs'])


def _context(item: dict[str, ty.Any]) -> dict[str, ty.Any]:
    return {
        'uuid': item['uuid'],
        'groups': tuple(
            model.Choice.from_record(group) for group in item['groups']
        ),
        # A cyborg-api of an earlier release does not say.
        'live_migration': item.get(
            'live_migration', model.LiveMigration.REFUSE
        ),
        'bindings': tuple(
            model.Binding.from_dict(binding)
            for binding in item.get('bindings', ())
        ),
        'name': item.get('name'),
        'tag': item.get('tag'),
        'status': item.get('status', model.Status.RESERVED),
        'fault': item.get('fault'),
    }


def _attached_context(body: dict[str, ty.Any]) -> AllocatedContext:
    return AllocatedContext(**_context(body['device_context']))


def _attachment(body: dict[str, ty.Any]) -> Attachment:
    return Attachment(
        context=_attached_context(body),
        taints=tuple(body['taints']),
        resumed=bool(body['resumed']),
        held=tuple(body['held']),
        groups=int(body['groups']),
        combinations=_combinations(body),
    )


def _resources(body: dict[str, ty.Any]) -> dict[str, dict[str, int]]:
    return {
        provider: dict(amounts)
        for provider, amounts in body['resources'].items()
    }


def _count(body: dict[str, ty.Any]) -> int:
    return int(body['contexts'])


def _sentence(body: dict[str, ty.Any]) -> str:
    return str(body['sentence'])


def _checked(body: dict[str, ty.Any]) -> Checked:
    return Checked(
        contexts=tuple(
            CheckedContext(**_context(item), holder=item['server_id'])
            for item in body['device_contexts']
        ),
        combinations=_combinations(body),
    )


def _combinations(body: dict[str, ty.Any]) -> counting.Combinations:
    if 'combinations' not in body:
        return counting.NONE
    return counting.Combinations.from_dict(body['combinations'])


def _allocation(body: dict[str, ty.Any]) -> ServerAllocation:
    return ServerAllocation(
        generation=body['generation'],
        fault=body['fault'],
        contexts=tuple(
            AllocatedContext(**_context(item))
            for item in body['device_contexts']
        ),
        combinations=_combinations(body),
        taints=tuple(body.get('taints', ())),
    )
