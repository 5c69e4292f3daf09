# SPDX-License-Identifier: Apache-2.0

"""nova-api: attaching and detaching, as far as a user waits for it.

What cannot be done is refused at once. What can be is reserved in Cyborg, and
left to the nova-compute of the server; how that ends is told by the server's
actions and by the device context.
"""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import logging
import typing as ty

from keystoneauth1 import exceptions as ks_exc
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects, servicegroup
from nova.compute import api, vm_states
from nova.limit import placement as limits
from nova.limit import utils as limit_utils
from openstack import exceptions as sdk_exc
from oslo_limit import exception as limit_exc
from oslo_utils import uuidutils

from nova_cyborg import cyborg_client, exception
from nova_cyborg.nova import client, features, groups, hint, marks
from nova_cyborg.nova.api import compute_api as stock_api
from nova_cyborg.nova.api import gate, refusals
from nova_cyborg.nova.api.attachments import rpcapi
from nova_cyborg.nova.features import computes

LOG = logging.getLogger(__name__)

#: Names of the server's actions.
ATTACH = 'attach_device_context'
DETACH = 'detach_device_context'

_Named = ty.TypeVar('_Named')

_STATES = [vm_states.ACTIVE, vm_states.PAUSED, vm_states.STOPPED]


class API(api.API):
    """Nova's compute API, for what is attached to a server."""

    @api.check_instance_lock
    @api.check_instance_state(vm_state=_STATES, task_state=[None])
    def attach_device_context(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        context_id: str,
        tag: str | None = None,
    ) -> cyborg_client.AllocatedContext:
        """Begin to attach a device context to a server.

        :param context: a context that targets the server's cell.
        :param instance: the server.
        :param context_id: UUID of the device context, of its project.
        :param tag: what the guest is to know it by; None for the device
            context's own.
        :returns: the device context.
        :raises Refused: if it cannot be done; nothing has been done.
        :raises InstanceIsLocked: if the server is locked.
        :raises InstanceInvalidState: if it is in no state for it.
        """
        with refusals.answering(f'Attaching to server {instance.uuid}'):
            _check_services(instance)
            allocations = client.allocation_client(context)
            caller = uuidutils.generate_uuid()
            attachment = self._reserve(
                context, allocations, instance, context_id, caller, tag
            )
            try:
                groups.check_attached(attachment)
                # What was begun before is counted already, if it has come to
                # Placement.
                if not attachment.resumed:
                    _check_limits(context, instance, attachment.context)
                _change_hint(
                    context, instance, hint.name_held, attachment.held
                )
                self._record_action_start(context, instance, ATTACH)
                rpcapi.attach(context, instance, attachment, caller)
            except Exception as exc:
                # One that was begun before may be bound, and in the guest.
                if not attachment.resumed:
                    _give_up(context, instance, context_id, caller, exc)
                raise
        return attachment.context

    def _reserve(
        self,
        context: nova_context.RequestContext,
        allocations: cyborg_client.AllocationClient,
        instance: objects.Instance,
        context_id: str,
        caller: str,
        tag: str | None,
    ) -> cyborg_client.Attachment:
        """Begin to give a device context to a server, in Cyborg."""
        attach = functools.partial(
            allocations.attach,
            instance.uuid,
            context_id,
            caller,
            instance.project_id,
            tag,
            groups.asked_by(instance.flavor),
        )
        try:
            return attach()
        except exception.DeviceContextInUse as exc:
            try:
                (found,) = allocations.check([context_id]).contexts
            except exception.DeviceContextNotFound:
                # It is of the server's project, and who asks is not.
                raise exc from None
            holder = found.holder
            if holder:
                if stock_api.is_in_the_way(self, context, holder):
                    raise
                allocations.release(holder, kept=True)
            return attach()

    @api.check_instance_lock
    @api.check_instance_state(vm_state=_STATES, task_state=[None])
    def detach_device_context(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        context_id: str,
    ) -> None:
        """Begin to detach a device context from a server.

        :param context: a context that targets the server's cell.
        :param instance: the server.
        :param context_id: UUID of the device context.
        :raises Refused: if it cannot be done; nothing has been done.
        :raises InstanceIsLocked: if the server is locked.
        :raises InstanceInvalidState: if it is in no state for it.
        """
        with refusals.answering(f'Detaching from server {instance.uuid}'):
            _check_services(instance)
            if instance.vm_state == vm_states.PAUSED:
                raise exception.DetachPaused(server_id=instance.uuid)
            caller = uuidutils.generate_uuid()
            allocations = client.allocation_client(context)
            held = allocations.detach(instance.uuid, context_id, caller)
            try:
                # One without a request has none that names it.
                with contextlib.suppress(exception.HotPlugUnavailable):
                    _change_hint(context, instance, hint.remove, context_id)
                self._record_action_start(context, instance, DETACH)
                rpcapi.detach(context, instance, held, caller)
            except Exception as exc:
                _keep(allocations, instance, context_id, caller, exc)
                raise


def held_by(
    context: nova_context.RequestContext, instance: objects.Instance
) -> tuple[cyborg_client.AllocatedContext, ...]:
    """Return the device contexts that a server holds.

    :param context: a context that targets the server's cell.
    :param instance: the server.
    :returns: the device contexts.
    :raises Refused: if Cyborg does not say.
    """
    # Who may look is a matter of Nova's policies, which were asked.
    own = client.with_credentials(nova_context.get_admin_context())
    with refusals.answering(f'Looking at server {instance.uuid}'):
        try:
            found = client.allocation_client(own).get(instance.uuid)
        except exception.AllocationNotFound:
            return ()
        return found.contexts


def _check_services(instance: objects.Instance) -> None:
    """Check that the services that take part are there, and can do it.

    :raises HotPlugUnavailable: naming what cannot.
    """
    context, host = instance._context, instance.host
    if not computes.can(context, host, instance.node, features.HOT_PLUG):
        raise exception.HotPlugUnavailable(
            server_id=instance.uuid,
            reason='the nova-compute of its host has no plugin, or one of a '
            'release that cannot do it.',
        )
    if not _is_up(context, host):
        raise exception.HotPlugUnavailable(
            server_id=instance.uuid,
            reason='the nova-compute of its host is down.',
        )
    unable = gate.CONDUCTORS.unable(features.HOT_PLUG)
    if unable:
        LOG.warning(
            'Server %s gets no device context, since these nova-conductors '
            'do not say that they can move it then: %s',
            instance.uuid,
            ', '.join(unable),
        )
        raise exception.HotPlugUnavailable(
            server_id=instance.uuid,
            reason='not all nova-conductors say that they can move it then.',
        )


def _is_up(context: nova_context.RequestContext, host: str) -> bool:
    try:
        service = objects.Service.get_by_compute_host(context, host)
    except nova_exception.ComputeHostNotFound:
        # An operator has deleted its record.
        return False
    return bool(servicegroup.API().service_is_up(service))


def _check_limits(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    attached: cyborg_client.AllocatedContext,
) -> None:
    """Check unified limits, if Nova counts accelerators.

    As for a new server, so not before Nova 34.

    :raises OverLimit: if a limit would be exceeded.
    :raises LimitsUnknown: if Keystone does not say.
    """
    if (
        not hasattr(api.API, stock_api.COUNT)
        or not limit_utils.use_unified_limits()
    ):
        return
    deltas: dict[str, int] = {}
    for group in attached.groups:
        for name, amount in group.resources:
            key = f'class:{name}'
            deltas[key] = deltas.get(key, 0) + amount
    project_id = instance.project_id
    try:
        limits._get_enforcer(context, project_id).enforce(project_id, deltas)
    except limit_exc.ProjectOverLimit as exc:
        if limit_utils.should_enforce(exc):
            raise exception.OverLimit(reason=str(exc)) from exc
    except (
        limit_exc.SessionInitError,
        ks_exc.ClientException,
        sdk_exc.SDKException,
    ) as exc:
        LOG.error(
            'The unified limits of project %s cannot be read: %s',
            project_id,
            exc,
        )
        raise exception.LimitsUnknown(
            service='nova-api', options='nova.conf'
        ) from exc


def _change_hint(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    change: collections.abc.Callable[[objects.RequestSpec, _Named], bool],
    named: _Named,
) -> None:
    """Have the hint of a server's request name what the server holds.

    :param change: changes the hint, and says whether it did.
    :param named: what it is to name, or not to name.
    :raises HotPlugUnavailable: if Nova has no request of the server.
    """
    try:
        request_spec = objects.RequestSpec.get_by_instance_uuid(
            context, instance.uuid
        )
    except nova_exception.RequestSpecNotFound as exc:
        raise exception.HotPlugUnavailable(
            server_id=instance.uuid,
            reason='Nova has no request of it, with which it could be moved.',
        ) from exc
    if change(request_spec, named):
        request_spec.save()


def _keep(
    allocations: cyborg_client.AllocationClient,
    instance: objects.Instance,
    context_id: str,
    caller: str,
    error: Exception,
) -> None:
    """Leave a device context attached that nobody is told to detach."""
    try:
        allocations.attached(
            instance.uuid, context_id, caller, client.told_of(error)
        )
    except exception.DeviceContextError as exc:
        LOG.error(
            'Device context %s is not detached from server %s, and is shown '
            'as detaching. Detach it again: %s',
            context_id,
            instance.uuid,
            exc,
        )


def _give_up(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    context_id: str,
    caller: str,
    error: Exception,
) -> None:
    """Release what was reserved for an attempt that is not to be."""
    allocations = client.allocation_client(context)
    try:
        left = allocations.detached(
            instance.uuid, context_id, caller, client.told_of(error)
        )
        if not left:
            _unmark(context, allocations, instance)
    except exception.DeviceContextError as exc:
        LOG.error(
            'Device context %s is not attached to server %s, and could not be '
            'released. Detach it: %s',
            context_id,
            instance.uuid,
            exc,
        )


def _unmark(
    context: nova_context.RequestContext,
    allocations: cyborg_client.AllocationClient,
    instance: objects.Instance,
) -> None:
    """Unmark a server that holds nothing.

    Its last device context may have been detached meanwhile, and nova-compute
    have left the marks for the one that was to come.
    """
    with contextlib.suppress(nova_exception.InstanceNotFound):
        if not marks.take(context, instance):
            return
        try:
            allocations.get(instance.uuid)
        except exception.AllocationNotFound:
            return
        # It gets one since, and nova-compute may have marked it before.
        now = marks.read(context, instance)
        marks.mark(now)
        now.save()
