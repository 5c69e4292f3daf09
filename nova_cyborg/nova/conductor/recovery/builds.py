# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts that are being built, and nobody builds.

A message to a nova-conductor or a nova-compute is gone when its process dies:
oslo.messaging acknowledges it before it is dispatched. Stock Nova leaves the
server in BUILD for ever, and one that is deleted meanwhile may be listed and
cannot be deleted. Such a server is put into error, or done away with; its
device contexts are released, and it is forgotten in Placement.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import vm_states
from nova.conductor import manager
from oslo_utils import timeutils

from nova_cyborg import cyborg_client, exception, signatures
from nova_cyborg.nova import hint

LOG = logging.getLogger(__name__)

_CALLED = {
    '_bury_in_cell0': 'context request_spec exc build_requests instances '
    'block_device_mapping tags',
    '_set_vm_state_and_notify': 'context instance_uuid method updates ex '
    'request_spec',
}
_METHOD = 'build_instances'


@dataclasses.dataclass(frozen=True)
class _Place:
    """A server's row in a cell."""

    cell: objects.CellMapping
    instance: objects.Instance


class Builds:
    """Ends builds that were interrupted; safe to repeat.

    :param tasks: Nova's manager of what is done with servers.
    :param seconds: how old a build is that nobody is at any more.
    """

    def __init__(
        self, tasks: manager.ComputeTaskManager, seconds: float
    ) -> None:
        self._tasks = tasks
        self._seconds = seconds

    def overdue(self, context: nova_context.RequestContext) -> list[str]:
        """Find servers that no nova-conductor has taken up.

        They may not hold their device contexts yet: Cyborg does not know them.

        :param context: an administrator's context.
        :returns: UUIDs of those that were to be booted with device contexts.
        """
        # As many as are being built in the cloud just now.
        return [
            each.instance_uuid
            for each in objects.BuildRequestList.get_all(context)
            if self._is_old(each)
            and hint.of_unmapped(context, each.instance_uuid)
        ]

    def end(
        self,
        context: nova_context.RequestContext,
        allocations: cyborg_client.AllocationClient,
        server_id: str,
    ) -> None:
        """End the build of a server, if it was interrupted.

        :param context: a context with credentials for Cyborg.
        :param allocations: Cyborg's client.
        :param server_id: UUID of the server.
        :raises DeviceContextError: if Cyborg does not answer, or refuses.
        :raises NovaException: if a cell does not answer.
        """
        try:
            mapping = objects.InstanceMapping.get_by_instance_uuid(
                context, server_id
            )
        except nova_exception.InstanceMappingNotFound:
            # Nova does not know it: Cyborg finds that out by itself.
            return
        if mapping.cell_mapping is None:
            ended = self._end_unmapped(context, mapping)
        else:
            ended = self._end_mapped(context, mapping)
        if ended is None:
            return
        self._tasks.report_client.delete_allocation_for_instance(
            context, server_id, force=True
        )
        allocations.release(server_id, terminated=ended.gone)
        LOG.info(
            'The build of server %s was interrupted: %s', server_id, ended.how
        )

    def _end_unmapped(
        self,
        context: nova_context.RequestContext,
        mapping: objects.InstanceMapping,
    ) -> _End | None:
        """End the build of a server of which Nova knows no cell."""
        server_id = mapping.instance_uuid
        build_request = _build_request(context, server_id)
        if build_request is not None and not self._is_old(build_request):
            return None
        place = _find(context, server_id)
        if place is not None and not self._is_old(place.instance):
            return None
        if build_request is None:
            if not self._is_old(mapping):
                return None
            _forget(mapping, place)
            return _GONE
        if place is None:
            self._bury(context, build_request)
            return _BURIED
        mapping.cell_mapping = place.cell
        mapping.save()
        with contextlib.suppress(nova_exception.BuildRequestNotFound):
            build_request.destroy()
        self._fail(context, place)
        return _FAILED

    def _end_mapped(
        self,
        context: nova_context.RequestContext,
        mapping: objects.InstanceMapping,
    ) -> _End | None:
        """End the build of a server whose nova-compute was never told.

        Or that has no host, and whose build request has stayed: Nova shows it
        beside the server, and still when that is deleted.
        """
        server_id = mapping.instance_uuid
        build_request = _build_request(context, server_id)
        place = _place(context, mapping.cell_mapping, server_id)
        is_interrupted = (
            place is not None
            and place.instance.vm_state == vm_states.BUILDING
            and place.instance.host is None
            and self._is_old(place.instance)
        )
        if place is not None and is_interrupted:
            self._fail(context, place)
        has_stayed = build_request is not None and self._is_old(mapping)
        if build_request is not None and has_stayed:
            with contextlib.suppress(nova_exception.BuildRequestNotFound):
                build_request.destroy()
        if is_interrupted:
            return _FAILED
        return _GONE if has_stayed and place is None else None

    def _is_old(self, row: ty.Any) -> bool:
        """Tell whether nothing was done with a row for long."""
        changed: datetime.datetime = row.updated_at or row.created_at
        age = timeutils.utcnow(with_timezone=True) - changed
        return age.total_seconds() > self._seconds

    def _bury(
        self,
        context: nova_context.RequestContext,
        build_request: objects.BuildRequest,
    ) -> None:
        """Have Nova show a server in error that is in no cell."""
        server_id = build_request.instance_uuid
        instance = build_request.get_new_instance(context)
        devices = [
            _new(context, each) for each in build_request.block_device_mappings
        ]
        self._tasks._bury_in_cell0(
            context,
            objects.RequestSpec.get_by_instance_uuid(context, server_id),
            _error(server_id),
            build_requests=[build_request],
            instances=[instance],
            block_device_mapping=objects.BlockDeviceMappingList(
                objects=devices
            ),
            tags=build_request.tags,
        )

    def _fail(
        self, context: nova_context.RequestContext, place: _Place
    ) -> None:
        """Put a server into error that is in a cell, and on no host."""
        server_id = place.instance.uuid
        with nova_context.target_cell(context, place.cell) as in_cell:
            self._tasks._set_vm_state_and_notify(
                in_cell,
                server_id,
                _METHOD,
                {'vm_state': vm_states.ERROR, 'task_state': None},
                _error(server_id),
                objects.RequestSpec.get_by_instance_uuid(context, server_id),
            )


@dataclasses.dataclass(frozen=True)
class _End:
    """What became of a server.

    :ivar how: the same, for the log.
    :ivar gone: whether it is no server any more.
    """

    how: str
    gone: bool = False


_BURIED = _End('it had got to no cell, and is in ERROR')
_FAILED = _End('it had got to no host, and is in ERROR')
_GONE = _End('it was deleted meanwhile, and is gone', gone=True)


def check() -> None:
    """Check that this release of Nova has what is called.

    :raises PluginActivationFailed: naming what it has not.
    """
    signatures.check(manager.ComputeTaskManager, _CALLED)


def _new(
    context: nova_context.RequestContext, device: objects.BlockDeviceMapping
) -> objects.BlockDeviceMapping:
    """Return a volume or disk of a server that is to be stored.

    That of a message is one. That of a row has no context, and no changes.
    """
    fields = [each for each in device.obj_fields if each in device]
    return objects.BlockDeviceMapping(
        context, **{each: getattr(device, each) for each in fields}
    )


def _error(server_id: str) -> exception.BuildInterrupted:
    """Return what the server fails with; Nova asks where it was raised."""
    try:
        raise exception.BuildInterrupted(server_id=server_id)
    except exception.BuildInterrupted as exc:
        return exc


def _build_request(
    context: nova_context.RequestContext, server_id: str
) -> objects.BuildRequest | None:
    try:
        return objects.BuildRequest.get_by_instance_uuid(context, server_id)
    except nova_exception.BuildRequestNotFound:
        return None


def _find(
    context: nova_context.RequestContext, server_id: str
) -> _Place | None:
    """Look for a server in all cells.

    :raises CellTimeout: if one does not answer.
    """
    found = nova_context.scatter_gather_all_cells(
        context,
        objects.InstanceList.get_by_filters,
        {'uuid': [server_id], 'deleted': False},
    )
    for cell_id, instances in found.items():
        if nova_context.is_cell_failure_sentinel(instances):
            raise nova_exception.CellTimeout()
        for instance in instances:
            cell = objects.CellMapping.get_by_uuid(context, cell_id)
            return _Place(cell, instance)
    return None


def _place(
    context: nova_context.RequestContext,
    cell: objects.CellMapping,
    server_id: str,
) -> _Place | None:
    with nova_context.target_cell(context, cell) as in_cell:
        try:
            instance = objects.Instance.get_by_uuid(in_cell, server_id)
        except nova_exception.InstanceNotFound:
            return None
    return _Place(cell, instance)


def _forget(mapping: objects.InstanceMapping, place: _Place | None) -> None:
    """Do away with a server that its user has deleted."""
    if place is not None:
        with contextlib.suppress(nova_exception.InstanceNotFound):
            place.instance.destroy()
    with contextlib.suppress(nova_exception.InstanceMappingNotFound):
        mapping.destroy()
