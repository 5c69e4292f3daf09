# SPDX-License-Identifier: Apache-2.0

"""The steps by which a device context comes to a server that exists, or goes.

Each step can be done again. A device context is attached when the server is
marked, Placement has allocated devices of the host, Cyborg has bound them, and
the guest has them. It goes the other way round: no device is unbound that the
guest has. Cyborg knows which attempt is at it: when another one has taken its
place, or the server is on its way to another host, this one does nothing more.
"""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import itertools
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import vm_states

from nova_cyborg import exception, model
from nova_cyborg.nova import client, groups, marks, placement
from nova_cyborg.nova.compute import bindings, guards

LOG = logging.getLogger(__name__)

_ATTACHABLE = (vm_states.ACTIVE, vm_states.PAUSED, vm_states.STOPPED)
# A guest that is paused lets go of nothing.
_DETACHABLE = (vm_states.ACTIVE, vm_states.STOPPED)
_Result = ty.TypeVar('_Result')
_Arqs = list[dict[str, ty.Any]]


class Attachment:
    """A device context that one attempt attaches or detaches.

    :param manager: Nova's compute manager of this host.
    :param context: the request's context.
    :param instance: the server, as it is now.
    :param device_context: ``uuid``, ``groups`` as :class:`model.Choice` has
        them recorded, and ``arqs``: UUIDs of its accelerator requests, if it
        has any.
    :param caller: UUID of the attempt.
    """

    def __init__(
        self,
        manager: ty.Any,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        device_context: collections.abc.Mapping[str, ty.Any],
        caller: str,
    ) -> None:
        self._manager = manager
        self._context = context
        self._instance = instance
        self._id: str = device_context['uuid']
        self._groups = tuple(
            model.Choice.from_record(each) for each in device_context['groups']
        )
        self._arq_ids: list[str] = list(device_context.get('arqs', ()))
        self._caller = caller
        # What the server uses, as it was read last; None before that.
        self._held: _Arqs | None = None
        # Whether there may be something to undo.
        self._marked = False
        self._allocations = client.allocation_client(context)

    def attach(
        self, taints: collections.abc.Collection[str], resumed: bool
    ) -> None:
        """Attach the device context; all is as before if that fails.

        :param taints: keys of all taints that devices have.
        :param resumed: whether another attempt may have left something.
        :raises Exception: why it is not attached.
        """
        if resumed:
            # What fails here leaves it to the next attempt.
            self._require(_ATTACHABLE)
            self._clear()
        try:
            self._require(_ATTACHABLE)
            self._mark()
            # What was stored then is what it is now.
            self._require(_ATTACHABLE)
            self._marked = True
            arqs = self._bind(taints)
            # Else a guest that is being made would not have them.
            self._require_still(_ATTACHABLE)
            self._manager.driver.plug_devices(self._instance, arqs)
        except exception.OtherAttempt as exc:
            # Who has taken over may have released it.
            with contextlib.suppress(exception.DeviceContextError):
                self._release(exc)
            raise
        except Exception as exc:
            self._undo(exc)
            raise
        self._describe()
        # The guest has the devices: what fails now is done by another attempt.
        self._call(self._allocations.attached)

    def detach(self) -> None:
        """Detach the device context, if its guest lets go of it.

        :raises Exception: why it is not detached.
        """
        try:
            self._require(_DETACHABLE)
            self._unplug()
            self._require_unplugged()
        except exception.OtherAttempt:
            raise
        except Exception as exc:
            self._keep(exc)
            raise
        self._unbind()
        self._release(None)
        self._describe()

    def _require(self, states: collections.abc.Collection[str]) -> None:
        guards.check_idle(self._instance, self._manager.host, states)

    def _require_still(
        self, states: collections.abc.Collection[str] | None = None
    ) -> None:
        guards.check_turn(
            self._context, self._instance, self._manager.host, states
        )

    def _mark(self) -> None:
        """Have Nova see that the server has accelerators.

        :raises ServerBusy: if something else was begun with it meanwhile.
        """
        try:
            marks.give(self._instance, _ATTACHABLE)
        except (
            nova_exception.InstanceNotFound,
            nova_exception.InstanceUpdateConflict,
        ) as exc:
            now = guards.current(self._context, self._instance)
            raise guards.busy(self._instance, now, self._manager.host) from exc

    def _bind(self, taints: collections.abc.Collection[str]) -> _Arqs:
        """Choose devices of this host, and bind them."""
        added = self._allocate(taints)
        try:
            self._arq_ids = client.repeating(
                lambda: self._allocations.bind_attached(
                    self._instance.uuid,
                    self._id,
                    self._instance.node,
                    added.providers,
                    self._caller,
                )
            )
        except (exception.OtherAttempt, exception.ServerMoving):
            # Whoever has taken over knows nothing of it.
            placement.take_back(
                self._manager.reportclient,
                self._context,
                self._consumers(),
                added,
            )
            raise
        self._held = bindings.wait_for(
            self._context, self._instance, self._arq_ids
        )
        return self._own(self._held)

    def _allocate(
        self, taints: collections.abc.Collection[str]
    ) -> placement.Added:
        """Choose devices of this host: the first alternatives that it has.

        :raises NoDeviceOnHost: if it has none.
        """
        picks = model.picks(self._groups)
        for pick in itertools.islice(picks, model.MAX_PICKS):
            added = placement.allocate(
                self._manager,
                self._context,
                self._instance,
                groups.of_context(self._id, self._groups, taints, pick),
            )
            if added is not None:
                return added
        raise exception.NoDeviceOnHost(
            host=self._instance.host,
            server_id=self._instance.uuid,
            id=self._id,
        )

    def _clear(self) -> None:
        """Have nothing of the device context left on the host.

        :raises ServerBusy: if a guest may be given what is unbound.
        """
        self._unplug()
        self._require_still()
        self._unbind()

    def _require_unplugged(self) -> None:
        """Check that no guest is being made that may get what is unbound.

        Nor does anything wait that has seen the marks, and would store them.

        :raises ServerBusy: if one may be; the guest of now has all again.
        """
        now = guards.current(self._context, self._instance)
        host = self._manager.host
        try:
            if now is None:
                raise guards.busy(self._instance, now, host)
            guards.check_idle(now, host, _DETACHABLE)
        except exception.ServerBusy:
            self._plug_again()
            raise

    def _unplug(self) -> None:
        """Have the guest let go of the devices.

        :raises DeviceKept: if it does not.
        """
        arqs = self._bound()
        if not arqs:
            return
        try:
            self._manager.driver.unplug_devices(self._instance, arqs)
        except Exception:
            # What it had let go of was plugged in again.
            self._describe_again()
            raise

    def _bound(self) -> _Arqs:
        """Read what is bound."""
        if not self._arq_ids:
            return []
        self._held = self._allocations.arqs(self._instance.uuid)
        return self._own(self._held)

    def _own(self, held: _Arqs) -> _Arqs:
        return [arq for arq in held if arq['uuid'] in self._arq_ids]

    def _unbind(self) -> None:
        """Unbind the devices, and forget what Placement has of them."""
        read = functools.partial(
            placement.allocated,
            self._manager.reportclient,
            self._context,
            self._instance,
        )
        found = {each: read(each) for each in self._consumers()}
        providers = itertools.chain.from_iterable(
            each.providers for each in found.values()
        )
        try:
            left = self._call(self._allocations.unplug, sorted({*providers}))
        except exception.OtherAttempt:
            self._plug_again()
            raise
        # By now, what the server had may be a migration's.
        for consumer in self._consumers():
            placement.lower(
                self._manager.reportclient,
                self._context,
                self._instance,
                consumer,
                found.get(consumer) or read(consumer),
                left,
            )

    def _consumers(self) -> collections.abc.Iterator[str]:
        """Return who may have what Placement has allocated on this host.

        The server comes first, and its last move is looked up after that:
        what Nova allocates to the migration meanwhile is found there.

        :returns: UUIDs of the server, and of its last migration, if any.
        """
        yield self._instance.uuid
        move = bindings.last_move(self._context, self._instance)
        if move is not None:
            yield move.uuid

    def _plug_again(self) -> None:
        """Give a guest back what its server is to have after all.

        Something else was begun with it, and what was bound stays.
        """
        try:
            arqs = self._bound()
            if arqs:
                self._manager.driver.plug_devices(self._instance, arqs)
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            LOG.error(
                'Server %s may be without its devices. Reboot it (hard): %s',
                self._instance.uuid,
                exc,
            )
        self._describe_again()

    def _release(self, error: Exception | None) -> None:
        """Release the device context, and unmark a server without any."""
        fault = None if error is None else client.told_of(error)
        left = self._call(self._allocations.detached, fault=fault)
        if not left:
            with contextlib.suppress(nova_exception.InstanceNotFound):
                marks.take(self._context, self._instance)

    def _undo(self, error: Exception) -> None:
        """Leave the server as it was before the device context was attached.

        :param error: why it is not attached.
        """
        try:
            if self._marked:
                self._clear()
            self._release(error)
        except exception.OtherAttempt as exc:
            LOG.info(
                'Nothing of device context %s is undone: %s', self._id, exc
            )
        except Exception as exc:  # noqa: BLE001 - Nova and libvirt raise many
            LOG.error(
                'Device context %s could not be attached to server %s, and '
                'something of it is left there. Attach it again, or detach '
                'it: %s',
                self._id,
                self._instance.uuid,
                exc,
            )

    def _keep(self, error: Exception) -> None:
        """Leave the device context attached.

        :param error: why it is not detached.
        """
        try:
            self._call(self._allocations.attached, fault=client.told_of(error))
        except exception.DeviceContextError as exc:
            LOG.warning(
                'Device context %s of server %s is shown as detaching, and '
                'is not. Detach it again: %s',
                self._id,
                self._instance.uuid,
                exc,
            )

    def _describe(self) -> None:
        """Have the metadata tell of devices; never fail for that."""
        self._store(
            lambda: self._manager.driver.describe_devices(
                self._instance, self._held
            )
        )

    def _describe_again(self) -> None:
        """Do so of devices that the guest may have at other addresses now."""
        self._store(
            lambda: self._manager.driver.describe_plugged(
                self._context, self._instance
            )
        )

    def _store(self, describe: collections.abc.Callable[[], None]) -> None:
        try:
            describe()
            # And nothing else, which may have been changed meanwhile.
            marks.save_others(self._instance)
        except Exception as exc:  # noqa: BLE001 - it is done but for that
            LOG.warning(
                'The metadata of server %s does not tell of its devices as '
                'they are now. Reboot it (hard): %s',
                self._instance.uuid,
                exc,
            )

    def _call(
        self,
        call: collections.abc.Callable[..., _Result],
        *args: object,
        **kwargs: object,
    ) -> _Result:
        """Call Cyborg about the device context; once more if that fails."""
        return client.repeating(
            lambda: call(
                self._instance.uuid, self._id, self._caller, *args, **kwargs
            )
        )
