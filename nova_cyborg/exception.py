# SPDX-License-Identifier: Apache-2.0

"""Every exception of the project: a class and a sentence.

A sentence names the thing that is wrong and the next step. The classes are
used on both sides of the API: the server raises them, ``error_code`` and
``status`` go into the response, and the client raises the same class again.
"""

import collections.abc
import dataclasses
import typing as ty

#: Bytes that a sentence repeats of a name: whoever sends a request chooses how
#: long what they name is.
MOST_SHOWN = 128

# Arguments that are our own words, or lists of what there is. All others name
# something.
_WORDS = frozenset(('allowed', 'known', 'reason', 'slots'))


def shown(given: object) -> str:
    """Write what somebody has sent, or its beginning if it is long.

    :param given: what they have sent.
    :returns: :data:`MOST_SHOWN` bytes of UTF-8 at most.
    """
    text = str(given)
    # What is no text, as half a character of JSON's, counts as well.
    content = text.encode(errors='surrogatepass')
    if len(content) <= MOST_SHOWN:
        return text
    return f'{content[: MOST_SHOWN - 3].decode(errors="ignore")}...'


class DeviceContextError(Exception):
    """Base of the project's exceptions.

    :cvar message: a ``%``-format string, filled from the keyword arguments;
        of long names, with their beginning.
    :cvar status: the HTTP status an API answers with.
    :cvar error_code: the stable code in an API's error body.
    """

    message: ty.ClassVar[str] = 'An unexpected error occurred.'
    status: ty.ClassVar[int] = 500
    error_code: ty.ClassVar[str] = 'nova_cyborg.internal_error'

    def __init__(self, **kwargs: object) -> None:
        # Nova takes the code of a server's fault from here.
        self.kwargs = {'code': self.status, **kwargs}
        super().__init__(
            self.message
            % {
                name: shown(value)
                if isinstance(value, str) and name not in _WORDS
                else value
                for name, value in kwargs.items()
            }
        )

    @classmethod
    def from_detail(cls, detail: str) -> 'DeviceContextError':
        """Make the exception again from the sentence an API answered.

        :param detail: the sentence of an error body.
        :returns: an exception of this class with that sentence.
        """
        error = cls.__new__(cls)
        error.kwargs = {'code': cls.status}
        Exception.__init__(error, detail)
        return error

    @property
    def code(self) -> int:
        """The numeric code Nova records with a server's fault."""
        return self.status

    def format_message(self) -> str:
        """Return the sentence; Nova shows it as the server's fault."""
        return str(self)


# Bad input


class InvalidRequest(DeviceContextError):
    message = 'Invalid %(field)s: %(reason)s'
    status = 400
    error_code = 'nova_cyborg.invalid_request'


class RequestTooLarge(DeviceContextError):
    message = (
        'The request body is larger than %(limit)d bytes. Make the '
        'description or the config data shorter.'
    )
    status = 400
    error_code = 'nova_cyborg.request_too_large'


class BodyIncomplete(DeviceContextError):
    message = 'The request body has not come as a whole: %(reason)s.'
    status = 400
    error_code = 'nova_cyborg.body_incomplete'


class RouteNotFound(DeviceContextError):
    message = (
        'There is nothing at %(path)s. See what there is in the reference of '
        'the API.'
    )
    status = 404
    error_code = 'nova_cyborg.route_not_found'


class MethodNotAllowed(DeviceContextError):
    message = (
        'There is no %(method)s at %(path)s. Use one of the methods that '
        'there are: %(allowed)s.'
    )
    status = 405
    error_code = 'nova_cyborg.method_not_allowed'


class NotAcceptable(DeviceContextError):
    message = 'The answer cannot be what %(header)s asks for: %(reason)s'
    status = 406
    error_code = 'nova_cyborg.not_acceptable'


class LiveMigrationRefused(DeviceContextError):
    message = (
        'The server cannot be migrated while it runs: device context %(id)s '
        'of it says "%(word)s" in its field live_migration. If the guest can '
        'do without its devices for a while, its project can have it say '
        '"detach".'
    )
    status = 400
    error_code = 'nova_cyborg.live_migration.refused'


class LiveMigrationNative(DeviceContextError):
    message = (
        'Device context %(id)s says "native" in its field live_migration, and '
        'its devices cannot move with their state: %(reason)s Have it say '
        '"detach", or migrate the server cold.'
    )
    status = 409
    error_code = 'nova_cyborg.live_migration.native'


class LiveMigrationTooOld(DeviceContextError):
    message = (
        'Host %(host)s migrates no %(kind)s devices with their state: that '
        'needs libvirt %(libvirt)s and QEMU %(qemu)s. Upgrade them, have the '
        'device context say "detach" in its field live_migration, or migrate '
        'the server cold.'
    )
    status = 409
    error_code = 'nova_cyborg.live_migration.too_old'


class HotPlugUnavailable(DeviceContextError):
    message = (
        'Device contexts cannot be attached to server %(server_id)s, or '
        'detached, now: %(reason)s Ask the administrator of the cloud.'
    )
    status = 409
    error_code = 'nova_cyborg.hot_plug.unavailable'


class ComputeUntold(DeviceContextError):
    message = (
        'The nova-compute of server %(server_id)s could not be told to attach '
        'or detach the device context. Try again later. Operators: check the '
        'message bus.'
    )
    status = 503
    error_code = 'nova_cyborg.compute_untold'


class DetachPaused(DeviceContextError):
    message = (
        'Server %(server_id)s is paused, and a guest that is paused lets go '
        'of no device. Unpause it, and try again. If nobody has paused it, '
        'its hypervisor has: reboot it (hard).'
    )
    status = 409
    error_code = 'nova_cyborg.hot_plug.paused'


class OverLimit(DeviceContextError):
    message = (
        'The device context would exceed a limit of the project: %(reason)s '
        'Detach or delete others, or ask for a higher limit.'
    )
    status = 403
    error_code = 'nova_cyborg.over_limit'


class LimitReached(DeviceContextError):
    message = (
        'The project may have %(limit)d of %(resource)s and has %(used)d; '
        '%(asked)d more would be too many. Detach or delete device contexts, '
        'or ask for a higher limit. See "openstack accelerator device context '
        'limits".'
    )
    status = 403
    error_code = 'nova_cyborg.limit_reached'


class LimitsUnknown(DeviceContextError):
    message = (
        'Keystone does not say what the project may have, so it gets nothing '
        'more. Try again later. Operators: check Keystone, and [oslo_limit] '
        'in %(options)s; the log of %(service)s says what is wrong.'
    )
    status = 503
    error_code = 'nova_cyborg.limits_unknown'


class LiveMigrationForced(DeviceContextError):
    message = (
        'Server %(server_id)s has device contexts, and cannot be forced to a '
        'host: Placement has to choose devices there. Name the host without '
        'forcing it.'
    )
    status = 400
    error_code = 'nova_cyborg.live_migration.forced'


class LiveMigrationPaused(DeviceContextError):
    message = (
        'Server %(server_id)s is paused, and its guest cannot let go of its '
        'devices. Unpause it first.'
    )
    status = 409
    error_code = 'nova_cyborg.live_migration.paused'


class DeviceContextNotFound(DeviceContextError):
    message = (
        'Device context %(id)s was not found in the project. List the ones '
        'there are with "openstack accelerator device context list".'
    )
    status = 404
    error_code = 'nova_cyborg.device_context.not_found'


class DeviceProfileNotFound(DeviceContextError):
    message = (
        'Device profile %(id)s was not found. List the ones there are with '
        '"openstack accelerator device profile list".'
    )
    status = 404
    error_code = 'nova_cyborg.device_profile.not_found'


class AllocationNotFound(DeviceContextError):
    message = 'Server %(server_id)s holds no device contexts.'
    status = 404
    error_code = 'nova_cyborg.device_allocation.not_found'


class DeviceNotFound(DeviceContextError):
    message = (
        'Device %(id)s was not found. List the ones there are with "openstack '
        'accelerator device list".'
    )
    status = 404
    error_code = 'nova_cyborg.device.not_found'


class DeviceTaintNotFound(DeviceContextError):
    message = (
        'Device taint %(id)s was not found. List the ones there are with '
        '"openstack accelerator device taint list".'
    )
    status = 404
    error_code = 'nova_cyborg.device_taint.not_found'


class EventNotFound(DeviceContextError):
    message = (
        'Event %(id)s is not among those of the device context. Old ones are '
        'deleted; begin with the first page.'
    )
    status = 404
    error_code = 'nova_cyborg.device_context_event.not_found'


class DeviceTaintExists(DeviceContextError):
    message = (
        'Device %(device_id)s has the taint %(key)s already. To change its '
        'reason, delete it first.'
    )
    status = 409
    error_code = 'nova_cyborg.device_taint.exists'


class DeviceTaintReported(DeviceContextError):
    message = (
        'Taint %(key)s of device %(device_id)s comes from the agent of its '
        'host, and goes when that says that the device is well. To have '
        'servers get the device anyway, tolerate the taint.'
    )
    status = 409
    error_code = 'nova_cyborg.device_taint.reported'


class TooManyTaints(DeviceContextError):
    message = (
        'There are %(limit)d different keys of taints already. Use one of '
        'these, or delete the taints of one.'
    )
    status = 409
    error_code = 'nova_cyborg.device_taint.too_many'


class DeviceTaintUntold(DeviceContextError):
    message = (
        'Placement could not be told of the taint of device %(device_id)s. '
        'Nothing was changed. Repeat the request when Placement answers.'
    )
    status = 503
    error_code = 'nova_cyborg.device_taint.untold'


class DeviceTainted(DeviceContextError):
    message = (
        'The device that was chosen has got the taint %(key)s, which is not '
        'tolerated.'
    )
    status = 409
    error_code = 'nova_cyborg.device_tainted'


class DeviceContextInUse(DeviceContextError):
    message = (
        'Device context %(id)s is in use by server %(server_id)s. Detach it '
        'from that server or delete that first, or use another device context.'
    )
    status = 409
    error_code = 'nova_cyborg.device_context.in_use'

    @property
    def server_id(self) -> str | None:
        """UUID of the server; None if made again from an API's sentence."""
        found = self.kwargs.get('server_id')
        return found if isinstance(found, str) else None


class DeviceContextChanged(DeviceContextError):
    message = (
        'Device context %(id)s has been changed: it is at revision '
        '%(revision)d, which If-Match does not name. Nothing was changed now. '
        'Show it, and try again.'
    )
    status = 412
    error_code = 'nova_cyborg.device_context.changed'


class IdempotencyKeyReused(DeviceContextError):
    message = (
        'The Idempotency-Key "%(key)s" was sent with another request. Use '
        'another key for this one.'
    )
    status = 409
    error_code = 'nova_cyborg.idempotency_key.reused'


class IdempotencyKeySpent(DeviceContextError):
    message = (
        'Device context %(id)s, which was made with the Idempotency-Key '
        '"%(key)s", is deleted. Use another key to make another one.'
    )
    status = 409
    error_code = 'nova_cyborg.idempotency_key.spent'


class TooManyIdempotencyKeys(DeviceContextError):
    message = (
        'The project has sent %(limit)d different Idempotency-Keys within a '
        'day, and no more can be kept. Send the request without one.'
    )
    status = 403
    error_code = 'nova_cyborg.idempotency_key.too_many'


class DeviceContextAttached(DeviceContextError):
    message = (
        'Device context %(id)s is attached to server %(server_id)s already.'
    )
    status = 409
    error_code = 'nova_cyborg.device_context.attached'


class DeviceContextDetaching(DeviceContextError):
    message = (
        'Device context %(id)s is being detached from server %(server_id)s. '
        'Attach it again when that is done.'
    )
    status = 409
    error_code = 'nova_cyborg.device_context.detaching'


class DeviceContextNotAttached(DeviceContextError):
    message = (
        'Device context %(id)s is not attached to server %(server_id)s. '
        'Nothing was changed.'
    )
    status = 404
    error_code = 'nova_cyborg.device_context.not_attached'


class ContextTagNotFound(DeviceContextError):
    message = (
        'Device context %(id)s has no "%(tag)s" among its tags. Its device '
        'tag is not one of them.'
    )
    status = 404
    error_code = 'nova_cyborg.device_context.tag_not_found'


class TagInUse(DeviceContextError):
    message = (
        'Device contexts %(id)s and %(other)s both have the tag "%(tag)s", '
        'and are for one server. Give one of them another tag.'
    )
    status = 409
    error_code = 'nova_cyborg.device_context.tag_in_use'


class DeviceContextRepeated(DeviceContextError):
    message = (
        'Device context %(id)s is named more than once for one server. '
        'Name each device context once; make another for a second device.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.repeated'


class DeviceContextShared(DeviceContextError):
    message = (
        'Device context %(id)s cannot be given to %(count)d servers: a '
        'device context belongs to one server. Boot the servers one by one, '
        'each with device contexts of its own.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.shared'


class TooManyGroups(DeviceContextError):
    message = (
        'The device contexts asked for have %(count)d request groups '
        'together; at most %(limit)d are allowed for one server '
        '([nova_cyborg] max_groups_per_server). Use fewer device contexts.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.too_many_groups'


class TooManyAccelerators(DeviceContextError):
    message = (
        'The device contexts asked for have %(count)d accelerators '
        'together; at most %(limit)d are allowed for one server '
        '([nova_cyborg] max_accelerators_per_server). Use fewer device '
        'contexts, or such as ask for less.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.too_many_accelerators'


class TooManyAlternatives(DeviceContextError):
    message = (
        'The device contexts asked for list alternatives that make %(count)d '
        'combinations together; at most %(limit)d are tried for one server. '
        'Use fewer device contexts that list alternatives, or such as list '
        'fewer.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.too_many_alternatives'


class TooManyDeviceContexts(DeviceContextError):
    message = (
        'The project may have %(limit)d device contexts ([nova_cyborg] '
        'max_contexts_per_project), and would have %(count)d. Delete some '
        'that no server holds.'
    )
    status = 403
    error_code = 'nova_cyborg.device_context.over_quota'


class ResourceClassNotAllowed(DeviceContextError):
    message = (
        'Device context %(id)s asks for %(name)s, which no accelerator of '
        'this cloud has as its resource class. There are: %(known)s. Use a '
        'device context that asks for one of these.'
    )
    status = 400
    error_code = 'nova_cyborg.device_context.resource_class_not_allowed'


class AllocationMismatch(DeviceContextError):
    message = (
        'Server %(server_id)s holds other device contexts than the ones '
        'asked for. A server that exists gets others when they are attached.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.mismatch'


class AlreadyBegun(DeviceContextError):
    message = (
        'Another call has begun the same operation of server %(server_id)s, '
        'and goes on with it. Nothing was changed.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.already_begun'


class StaleGeneration(DeviceContextError):
    message = (
        'The allocation of server %(server_id)s is at generation '
        '%(current)d, not %(given)d: a later operation has taken over. '
        'Nothing was changed.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.stale_generation'


class OtherAttempt(DeviceContextError):
    message = (
        'Server %(server_id)s has other accelerator requests by now: a later '
        'operation has taken over. Nothing was changed.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.other_attempt'


#: What tells a caller that the server is in the hands of another one: it is
#: to stop, and to unbind and to release nothing.
SUPERSEDED = (AlreadyBegun, StaleGeneration, OtherAttempt)


class BindingNotFound(DeviceContextError):
    message = (
        'Nothing is bound for server %(server_id)s and its migration '
        '%(migration_id)s.'
    )
    status = 404
    error_code = 'nova_cyborg.device_allocation.binding_not_found'


class StillBound(DeviceContextError):
    message = (
        'Server %(server_id)s has accelerator requests of an earlier '
        'binding. Unbind them first.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.still_bound'
    #: UUIDs of these accelerator requests, as far as they are in the way.
    arq_ids: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        server_id: str,
        arq_ids: collections.abc.Iterable[str] = (),
    ) -> None:
        super().__init__(server_id=server_id)
        self.arq_ids = tuple(arq_ids)


class ServerNotLeaving(DeviceContextError):
    message = (
        'Server %(server_id)s uses its accelerators, and nothing is being '
        'done with it that would unbind them. Nothing was changed.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.server_not_leaving'


class ServerMoving(DeviceContextError):
    message = (
        'Server %(server_id)s has devices on another host, too: it is being '
        'moved, or its move is not confirmed. Attach and detach its device '
        'contexts when that is done.'
    )
    status = 409
    error_code = 'nova_cyborg.device_allocation.server_moving'


class ProviderMissing(DeviceContextError):
    message = (
        'No resource provider is given for group %(group)d of device '
        'context %(id)s.'
    )
    status = 400
    error_code = 'nova_cyborg.device_allocation.provider_missing'


class TooManyCombinations(DeviceContextError):
    message = (
        'There are over %(limit)d ways to give the server its devices, and '
        'Placement would try them all. Use fewer device contexts of one kind, '
        'or a larger amount in one. Operators: see [nova_cyborg] '
        'max_device_combinations and placement_prunes.'
    )
    status = 409
    error_code = 'nova_cyborg.device_context.too_many_combinations'


class ReservedProfileName(DeviceContextError):
    message = (
        'Device profile names that begin with "%(prefix)s" are reserved for '
        'device contexts. Choose another name.'
    )
    status = 400
    error_code = 'nova_cyborg.device_profile.reserved_name'


# Access


class Forbidden(DeviceContextError):
    message = 'Policy does not allow %(action)s to be performed.'
    status = 403
    error_code = 'nova_cyborg.forbidden'


class ServiceTokenRequired(DeviceContextError):
    message = (
        'Device allocations are for the Compute service only, and need its '
        'service token. Operators: set [service_user] '
        'send_service_user_token in nova.conf, and give the service user a '
        'role of [keystone_authtoken] service_token_roles in cyborg.conf.'
    )
    status = 403
    error_code = 'nova_cyborg.service_token_required'


# What Nova's side finds wrong with Cyborg; seen as a server's fault


# Nova cuts the message of a fault at 255 characters, so these are short.


class CyborgUnreachable(DeviceContextError):
    message = (
        'The Accelerator service (Cyborg), which has the device contexts, '
        'did not answer: %(reason)s. Try again later. Operators: check '
        'cyborg-api, and [cyborg] in nova.conf.'
    )
    status = 503
    error_code = 'nova_cyborg.cyborg_unreachable'


class CyborgWithoutDeviceContexts(DeviceContextError):
    message = (
        'The Accelerator service (Cyborg) does not serve device contexts. '
        'Operators: set paste.app_factory = '
        'nova_cyborg.api.app:app_factory in api-paste.ini of cyborg-api.'
    )
    status = 501
    error_code = 'nova_cyborg.cyborg_without_device_contexts'


class CyborgFailed(DeviceContextError):
    message = (
        'The Accelerator service (Cyborg), which has the device contexts, '
        'failed with HTTP status %(http_status)d: %(reason)s'
    )
    status = 502
    error_code = 'nova_cyborg.cyborg_failed'


# What the audit finds wrong with Placement


class PlacementFailed(DeviceContextError):
    message = (
        'Placement cannot be asked: %(reason)s. Try again later, or tell the '
        'administrator. Operators: the log says why; check Placement, '
        'Keystone, and [placement] in cyborg.conf.'
    )
    status = 502
    error_code = 'nova_cyborg.placement_failed'

    def in_full(self) -> str:
        """Return the sentence with its cause, for the log.

        The cause has URLs that are not for projects.
        """
        return f'{self} ({self.__cause__})' if self.__cause__ else str(self)


class NothingAllocated(DeviceContextError):
    message = (
        'Placement has no allocations of server %(server_id)s. Run '
        '"nova-manage placement heal_allocations --instance %(server_id)s", '
        'and the audit again.'
    )
    status = 409
    error_code = 'nova_cyborg.nothing_allocated'


class AllocationRefused(DeviceContextError):
    message = (
        'Placement refuses to change the allocation of resource provider '
        '%(provider)s to server %(server_id)s: %(reason)s'
    )
    status = 409
    error_code = 'nova_cyborg.allocation_refused'


# Binding and the guest


class BuildInterrupted(DeviceContextError):
    message = (
        'The build of server %(server_id)s was interrupted: a service of Nova '
        'was ended in the middle of it. Delete the server, and create it '
        'again.'
    )
    status = 500
    error_code = 'nova_cyborg.build_interrupted'


class BindingFailed(DeviceContextError):
    message = (
        'No device could be bound for the device contexts of server '
        '%(server_id)s: %(reason)s'
    )
    error_code = 'nova_cyborg.binding_failed'


class NoDeviceOnHost(DeviceContextError):
    message = (
        'Host %(host)s of server %(server_id)s has no free device for device '
        'context %(id)s, and a server gets devices of its own host only. '
        'Move the server to a host that has one, or try again later. '
        '"openstack accelerator device context explain %(id)s" says whether '
        'any has.'
    )
    status = 409
    error_code = 'nova_cyborg.no_device_on_host'


class BindingTimeout(DeviceContextError):
    message = (
        'The accelerators of server %(server_id)s were not bound within '
        '%(seconds)d s (arq_binding_timeout in nova.conf).'
    )
    error_code = 'nova_cyborg.binding_timeout'


class DeviceNotGiven(DeviceContextError):
    # In front is what the audit looks for in the faults of servers: see
    # find_device_not_given.
    message = (
        '(nova_cyborg.device_not_given %(host)s/%(slot)s) The device cannot '
        'be given to a guest: %(reason)s'
    )
    error_code = 'nova_cyborg.device_not_given'


class NoPCISlot(DeviceContextError):
    message = (
        'The guest of server %(server_id)s has no PCI slot left for device '
        '%(slot)s. Detach something from it; or the operators raise '
        '[libvirt] num_pcie_ports in nova.conf of its host, and it is '
        'rebooted (hard).'
    )
    status = 409
    error_code = 'nova_cyborg.no_pci_slot'


class DeviceKept(DeviceContextError):
    message = (
        'The guest of server %(server_id)s does not let go of device '
        '%(slot)s. It may still let go of it, and is given it again then. '
        'Have it stop using the device, and try again.'
    )
    status = 409
    error_code = 'nova_cyborg.device_kept'


class DeviceLetGo(DeviceContextError):
    message = (
        'The guest of server %(server_id)s has let go of device %(slot)s '
        '%(times)s times within %(minutes)s minutes, and is not given it '
        'again.'
    )
    error_code = 'nova_cyborg.device_let_go'


class ServerBusy(DeviceContextError):
    message = (
        'Server %(server_id)s is not on host %(host)s any more, or something '
        'else is being done with it: its state is %(state)s. Try again when '
        'that is over.'
    )
    status = 409
    error_code = 'nova_cyborg.server_busy'


class NotAllocated(DeviceContextError):
    message = (
        'Placement could not be told of devices for server %(server_id)s: '
        '%(reason)s'
    )
    status = 502
    error_code = 'nova_cyborg.not_allocated'


class DeviceMissing(DeviceContextError):
    message = (
        'Server %(server_id)s cannot be started without its devices, and '
        '%(slots)s is missing: the host does not report it any more. Reboot '
        'the server when the device is back; to get another device, shelve '
        'and unshelve it.'
    )
    status = 409
    error_code = 'nova_cyborg.device_missing'


class LeftDeviceMissing(DeviceContextError):
    message = (
        'The move of server %(server_id)s cannot be reverted, as %(slots)s is '
        'missing: the host that the server has left does not report it any '
        'more. Revert the move when the device is back, or confirm it.'
    )
    status = 409
    error_code = 'nova_cyborg.left_device_missing'


class SourceWithoutPlugin(DeviceContextError):
    message = (
        'The move of server %(server_id)s cannot be reverted: the '
        'nova-compute of host %(host)s, which it has left, has no plugin for '
        'device contexts, and would start it without its devices. Confirm it, '
        'or revert it when that has the plugin again.'
    )
    status = 409
    error_code = 'nova_cyborg.source_without_plugin'


class BoundElsewhere(DeviceContextError):
    message = (
        'Server %(server_id)s cannot be started on %(node)s: its devices are '
        'on %(other)s. Operators: run "nova-cyborg-manage audit --repair".'
    )
    status = 409
    error_code = 'nova_cyborg.bound_elsewhere'


@dataclasses.dataclass(frozen=True)
class NotGiven:
    """A device that the fault of a server names.

    :ivar device: the host and the slot, as ``HOST/SLOT``.
    :ivar sentence: what is said of it.
    """

    device: str
    sentence: str


def find_device_not_given(fault: str) -> NotGiven | None:
    """Find what :class:`DeviceNotGiven` says in the fault of a server.

    It is in a sentence of Nova's, whose end is cut off if it is too long.

    :param fault: the message of the fault.
    :returns: the device; None if the fault is another one.
    """
    _before, _tag, named = fault.partition(f'({DeviceNotGiven.error_code} ')
    device, end, sentence = named.partition(')')
    return NotGiven(device, sentence.strip()) if end else None


class UnknownAttachHandle(DeviceContextError):
    message = (
        'Accelerator request %(arq_id)s of server %(server_id)s has the '
        'attach handle type "%(handle_type)s", which no driver of this host '
        'can attach (there are: %(known)s).'
    )
    error_code = 'nova_cyborg.unknown_attach_handle'


# Start of a service, or of a command


class NoDatabase(DeviceContextError):
    message = (
        '%(reason)s, so that the database of Cyborg cannot be looked at. Name '
        'the configuration file of cyborg-api, and check [database] '
        'connection in it.'
    )
    error_code = 'nova_cyborg.no_database'


class PluginActivationFailed(DeviceContextError):
    message = 'nova_cyborg cannot work in this service: %(reason)s'
    error_code = 'nova_cyborg.plugin_activation_failed'


class InvalidDevicesFile(DeviceContextError):
    message = 'Devices file %(path)s, %(entry)s: %(reason)s'
    error_code = 'nova_cyborg.invalid_devices_file'


# Cleaning of a slot


class CleaningFailed(DeviceContextError):
    message = '%(reason)s'
    error_code = 'nova_cyborg.cleaning_failed'


class CleaningUnderWay(DeviceContextError):
    message = 'Slot %(slot)s is still being cleaned.'
    error_code = 'nova_cyborg.cleaning_under_way'


def by_error_code(error_code: str) -> type[DeviceContextError] | None:
    """Find the class that an API's error body stands for.

    :param error_code: the stable code of an error body.
    :returns: the class; None for a code that is not ours.
    """
    # A class that has its code of a base class does not stand for it.
    classes = reversed(list(all_errors()))
    return {cls.error_code: cls for cls in classes}.get(error_code)


def all_errors() -> collections.abc.Iterator[type[DeviceContextError]]:
    """Go through all errors there are, base classes before what is of them.

    :returns: their classes, without :class:`DeviceContextError` itself.
    """
    found = DeviceContextError.__subclasses__()
    while found:
        yield from found
        found = [each for cls in found for each in cls.__subclasses__()]
