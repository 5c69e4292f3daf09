# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: devices that are migrated with their state.

A guest keeps a device of a device context that says ``native`` while it is
migrated; in the config that Nova sends to the destination, the slot is that of
the destination's device. Nova has such maps for devices of its own: for
mediated devices, and for PCI devices whose VFIO driver can do it. Whether a
driver can is found by QEMU, which then does not begin to migrate.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import driver as stock_driver
from nova.virt.libvirt import host

from nova_cyborg import cyborg_client, exception, model, signatures
from nova_cyborg.nova import client

# Types of attach handles, as Cyborg's API names them.
_PCI = 'PCI'
_MDEV = 'MDEV'
# What says of which kind a mediated device is, in Cyborg's address.
_KIND = 'asked_type'
# Of Nova's driver, which asks it for mediated devices of its own.
_SIGNATURES = {'_host_can_support_mdev_live_migration': ''}


@dataclasses.dataclass
class Slots:
    """Slots at the source of a live migration, and those for them.

    :ivar pci: PCI address at the destination by that at the source.
    :ivar mdevs: UUID of a mediated device at the destination by that at the
        source.
    """

    pci: dict[str, str] = dataclasses.field(default_factory=dict)
    mdevs: dict[str, str] = dataclasses.field(default_factory=dict)


def check() -> None:
    """Check that Nova's driver has what is used of it.

    :raises PluginActivationFailed: if this release of Nova has not.
    """
    signatures.check(stock_driver.LibvirtDriver, _SIGNATURES)


def map_slots(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
    node: str,
) -> Slots:
    """Map the slots of device contexts that say ``native``.

    :param contexts: the device contexts of a server, with what is bound at
        the source and at the destination.
    :param node: the node at the destination.
    :returns: the slots.
    :raises LiveMigrationNative: if a device has no counterpart.
    """
    found = Slots()
    for context in contexts:
        if context.live_migration != model.LiveMigration.NATIVE:
            continue
        for source, target in _pairs(context, node):
            _add(found, context.uuid, source, target)
    return found


def _pairs(
    context: cyborg_client.AllocatedContext, node: str
) -> collections.abc.Iterator[tuple[model.Device, model.Device]]:
    sources, targets = (
        [
            device
            for binding in context.bindings
            if chosen(binding)
            for device in binding.devices
        ]
        for chosen in (
            lambda each: each.state == model.BindingState.ACTIVE,
            lambda each: (
                each.state == model.BindingState.INACTIVE and each.host == node
            ),
        )
    )
    if [each.group for each in sources] != [each.group for each in targets]:
        raise exception.LiveMigrationNative(
            id=context.uuid,
            reason=f'what is bound on {node} is not what the guest has.',
        )
    yield from zip(sources, targets, strict=True)


def _add(
    found: Slots, context_id: str, source: model.Device, target: model.Device
) -> None:
    kinds = {
        (each.attach_handle_type, each.attach_handle_info.get(_KIND))
        for each in (source, target)
    }
    maps = {_PCI: found.pci, _MDEV: found.mdevs}
    if len(kinds) > 1 or source.attach_handle_type not in maps:
        raise exception.LiveMigrationNative(
            id=context_id,
            reason='its devices are of the kinds '
            f'{_words(source)} and {_words(target)}, which is not one kind '
            'of PCI or mediated devices.',
        )
    maps[source.attach_handle_type][str(source.slot)] = str(target.slot)


def _words(device: model.Device) -> str:
    kind = device.attach_handle_info.get(_KIND)
    return f'{device.attach_handle_type}{f" ({kind})" if kind else ""}'


def prepare(
    driver: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migrate_data: ty.Any,
) -> None:
    """Tell the source of the slots at the destination, which this is.

    :param driver: Nova's driver.
    :param context: the request's context.
    :param instance: the server.
    :param migrate_data: what Nova sends to the source; changed in place.
    :raises MigrationPreCheckError: if the guest cannot come here with its
        devices.
    """
    try:
        held = client.allocation_client(context).get(instance.uuid)
        found = map_slots(held.contexts, driver._host.get_hostname())
        if found.pci or found.mdevs:
            require_releases(driver, found)
    except exception.AllocationNotFound:
        # Its device contexts have been released since it was booted.
        return
    except exception.DeviceContextError as exc:
        raise nova_exception.MigrationPreCheckError(reason=str(exc)) from exc
    # Nova's own are there already, if it has any.
    if found.mdevs:
        own = (
            migrate_data.target_mdevs
            if migrate_data.obj_attr_is_set('target_mdevs')
            else {}
        )
        migrate_data.target_mdevs = {**own, **found.mdevs}
    if found.pci:
        own = (
            migrate_data.pci_dev_map_src_dst
            if migrate_data.obj_attr_is_set('pci_dev_map_src_dst')
            else {}
        )
        migrate_data.pci_dev_map_src_dst = {**own, **found.pci}


def require_releases(driver: ty.Any, found: Slots) -> None:
    """Check that libvirt and QEMU of this host can do it.

    :param driver: Nova's driver.
    :param found: what is to be migrated.
    :raises LiveMigrationTooOld: if they are too old.
    """
    if found.mdevs and not driver._host_can_support_mdev_live_migration():
        _refuse(
            driver,
            'mediated',
            stock_driver.MIN_MDEV_LIVEMIG_LIBVIRT_VERSION,
            stock_driver.MIN_MDEV_LIVEMIG_QEMU_VERSION,
        )
    libvirt = stock_driver.MIN_VFIO_PCI_VARIANT_LIBVIRT_VERSION
    qemu = stock_driver.MIN_VFIO_PCI_VARIANT_QEMU_VERSION
    if found.pci and not driver._host.has_min_version(
        lv_ver=libvirt, hv_ver=qemu, hv_type=host.HV_DRIVER_QEMU
    ):
        _refuse(driver, 'PCI', libvirt, qemu)


def _refuse(
    driver: ty.Any, kind: str, libvirt: tuple[int, ...], qemu: tuple[int, ...]
) -> ty.NoReturn:
    raise exception.LiveMigrationTooOld(
        host=driver._host.get_hostname(),
        kind=kind,
        libvirt='.'.join(map(str, libvirt)),
        qemu='.'.join(map(str, qemu)),
    )


def of_migration(migrate_data: ty.Any) -> Slots:
    """Return what the destination has told of its slots.

    With those of Nova's own devices, if the guest has any.

    :param migrate_data: what Nova has sent.
    :returns: the slots.
    """
    if migrate_data is None:
        return Slots()
    is_set = migrate_data.obj_attr_is_set
    return Slots(
        dict(migrate_data.pci_dev_map_src_dst)
        if is_set('pci_dev_map_src_dst')
        else {},
        dict(migrate_data.target_mdevs) if is_set('target_mdevs') else {},
    )


def stays(arq: collections.abc.Mapping[str, ty.Any], found: Slots) -> bool:
    """Tell whether a guest keeps a device while it is migrated.

    :param arq: its accelerator request.
    :param found: what the destination has told.
    :returns: whether it does.
    """
    slot = cyborg_client.slot(arq)
    return slot in found.pci or slot in found.mdevs
