# SPDX-License-Identifier: Apache-2.0

"""An agent's report, completed by what servers have and it does not show.

Stock Cyborg deletes what a report lacks, whether a server has it or not, and
makes a new attach handle of what comes back. Here a report is changed before
it is compared with what is recorded: a slot that a server has stays in it,
with its deployable and its device; a slot that a server has under another
attach handle, or that the report has twice, is left out.

Nothing here asks the database. The objects are Cyborg's, of
``cyborg.objects.driver_objects``.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

from cyborg.objects.driver_objects import (
    driver_attach_handle,
    driver_deployable,
    driver_device,
)

from nova_cyborg.db.inventory import slots

_Device: ty.TypeAlias = driver_device.DriverDevice
_Deployable: ty.TypeAlias = driver_deployable.DriverDeployable


@dataclasses.dataclass(frozen=True)
class Completed:
    """A report that can be compared with what is recorded.

    :ivar devices: the devices, by what identifies them.
    :ivar left_out: what the report has and is left out, a sentence each.
    """

    devices: dict[str, _Device]
    left_out: tuple[str, ...]


def identity(device: _Device) -> str:
    """Return what Cyborg tells a host's devices apart by.

    :param device: a device.
    :returns: the text of its control path: where it is.
    """
    return str(device.controlpath_id.cpid_info)


def lacking(
    devices: collections.abc.Iterable[_Device],
    known: collections.abc.Iterable[slots.Slot],
) -> list[slots.Slot]:
    """Find the slots that a report lacks.

    :param devices: the devices of the report.
    :param known: slots that are recorded.
    :returns: those of them that the report has not.
    """
    shown = {slot.key for slot in _all_slots(devices)}
    return [slot for slot in known if slot.key not in shown]


def changed(
    before: collections.abc.Iterable[_Device],
    after: collections.abc.Iterable[_Device],
) -> set[str]:
    """Find the deployables that a report changes.

    :param before: the devices that are recorded.
    :param after: the devices of the report, completed.
    :returns: the names of the deployables that are new, or have another
        number of slots, or other ones.
    """

    def by_name(
        devices: collections.abc.Iterable[_Device],
    ) -> dict[str, ty.Any]:
        return {
            deployable.name: (
                deployable.num_accelerators,
                sorted(slot.key for slot in _slots(deployable)),
            )
            for device in devices
            for deployable in device.deployable_list
        }

    was = by_name(before)
    return {
        name for name, now in by_name(after).items() if was.get(name) != now
    }


def complete(
    reported: collections.abc.Collection[_Device],
    recorded: collections.abc.Collection[_Device],
    known: collections.abc.Sequence[slots.Slot],
    kept: collections.abc.Sequence[slots.Slot],
) -> Completed:
    """Complete a report.

    :param reported: the devices of the report.
    :param recorded: the devices of the host, as Cyborg has them.
    :param known: the slots of the host.
    :param kept: those of the slots that the report lacks, and that stay.
    :returns: the report as it is compared with what is recorded.
    """
    staying = {slot.deployable for slot in known if slot.held}
    staying.update(slot.deployable for slot in kept)
    homes = {
        deployable.name: identity(device)
        for device in recorded
        for deployable in device.deployable_list
        if deployable.name in staying
    }
    choice = _Choice(known, _all_slots(reported), homes)
    devices: dict[str, _Device] = {}
    for device in reported:
        if identity(device) in devices:
            choice.leave_out(f'device {place(device)}', 'reported twice')
        else:
            devices[identity(device)] = choice.of_device(device)
    for device in recorded:
        _keep(devices, device, kept)
    return Completed(devices, tuple(choice.left_out))


class _Choice:
    """Chooses one of the slots that stand for the same real one.

    That which a server has; else that which is recorded already; else that
    which the report has first.

    :param known: the slots that are recorded.
    :param reported: the slots of the report.
    :param homes: which device a deployable stays on that servers have slots
        of, by the deployable's name.
    """

    def __init__(
        self,
        known: collections.abc.Collection[slots.Slot],
        reported: collections.abc.Sequence[slots.Slot],
        homes: collections.abc.Mapping[str, str],
    ) -> None:
        self.left_out: list[str] = []
        self._texts = {slot.key: slot.attach_info for slot in known}
        self._by_place: dict[str, list[slots.Slot]] = {}
        self._names: set[str] = set()
        self._homes = homes
        held = [slot for slot in known if slot.held]
        self._held = {slot.key for slot in held}
        for slot in held:
            self._by_place.setdefault(slot.place, []).append(slot)
        self._claim(slot for slot in reported if slot.key in self._texts)
        self._claim(slot for slot in reported if slot.key not in self._texts)

    def _claim(self, claims: collections.abc.Iterable[slots.Slot]) -> None:
        for slot in claims:
            if self._rival(slot) is None:
                self._by_place.setdefault(slot.place, []).append(slot)

    def _rival(self, slot: slots.Slot) -> slots.Slot | None:
        """Find what has the place of a slot, if that is not the slot."""
        if slot.key in self._held:
            # Two servers may have it already: both keep what they have.
            return None
        for other in self._by_place.get(slot.place, ()):
            if slot.excludes(other) and slot.key != other.key:
                return other
        return None

    def leave_out(self, what: str, why: str) -> None:
        """Note that something of the report is left out."""
        self.left_out.append(f'{what}: {why}')

    def of_device(self, device: _Device) -> _Device:
        """Return a device with those of its slots that stand for real ones."""
        chosen = device.obj_clone()
        chosen.deployable_list = [
            found
            for deployable in device.deployable_list
            if self._is_at_home(deployable, device)
            and (found := self._of_deployable(deployable)) is not None
        ]
        return chosen

    def _is_at_home(self, deployable: _Deployable, device: _Device) -> bool:
        home = self._homes.get(deployable.name, identity(device))
        if home != identity(device):
            # Two of one name would have one resource provider.
            why = 'servers have slots of it on another device'
            self.leave_out(f'deployable {deployable.name}', why)
        return home == identity(device)

    def _of_deployable(self, deployable: _Deployable) -> _Deployable | None:
        if deployable.name in self._names:
            self.leave_out(f'deployable {deployable.name}', 'reported twice')
            return None
        self._names.add(deployable.name)
        good: dict[tuple[str, str, str], slots.Slot] = {}
        reported = _slots(deployable)
        for slot in reported:
            rival = self._rival(slot)
            if rival is not None:
                why = f'it is a slot of {rival.deployable}'
                self.leave_out(f'slot {slot.place} of {slot.deployable}', why)
            else:
                good[slot.key] = slot
        if reported and not good:
            # Placement takes no inventory of nothing.
            return None
        chosen = deployable.obj_clone()
        chosen.attach_handle_list = [
            # Cyborg compares the texts, which a driver may write differently.
            _handle(slot, self._texts.get(slot.key))
            for slot in good.values()
        ]
        if reported:
            chosen.num_accelerators = min(
                deployable.num_accelerators, len(good)
            )
        return chosen


def _keep(
    devices: dict[str, _Device],
    recorded: _Device,
    kept: collections.abc.Sequence[slots.Slot],
) -> None:
    """Put the slots that stay back into a report, on their device."""
    for deployable in recorded.deployable_list:
        mine = [slot for slot in kept if slot.deployable == deployable.name]
        if not mine:
            continue
        device = devices.get(identity(recorded))
        if device is None:
            device = recorded.obj_clone()
            device.stub = False
            device.deployable_list = []
            devices[identity(recorded)] = device
        _put_back(device, deployable, mine)


def _put_back(
    device: _Device,
    recorded: _Deployable,
    kept: collections.abc.Sequence[slots.Slot],
) -> None:
    for deployable in device.deployable_list:
        if deployable.name == recorded.name:
            break
    else:
        deployable = recorded.obj_clone()
        deployable.attach_handle_list = []
        deployable.num_accelerators = 0
        device.deployable_list = [*device.deployable_list, deployable]
    deployable.attach_handle_list = [
        *deployable.attach_handle_list,
        *map(_handle, kept),
    ]
    deployable.num_accelerators += len(kept)


def _handle(
    slot: slots.Slot, text: str | None = None
) -> driver_attach_handle.DriverAttachHandle:
    return driver_attach_handle.DriverAttachHandle(
        attach_type=slot.attach_type,
        attach_info=text or slot.attach_info,
        in_use=slot.in_use,
    )


def _all_slots(
    devices: collections.abc.Iterable[_Device],
) -> list[slots.Slot]:
    return [
        slot
        for device in devices
        for deployable in device.deployable_list
        for slot in _slots(deployable)
    ]


def _slots(deployable: _Deployable) -> list[slots.Slot]:
    if not deployable.obj_attr_is_set('attach_handle_list'):
        return []
    return [
        slots.Slot(
            deployable=deployable.name,
            attach_type=handle.attach_type,
            attach_info=handle.attach_info,
        )
        for handle in deployable.attach_handle_list
    ]


def place(device: _Device) -> str:
    """Say where a device is, for the log.

    :param device: a device.
    :returns: its PCI address, if Cyborg has one; what it has else.
    """
    return slots.place_of(identity(device)) or identity(device)
