# SPDX-License-Identifier: Apache-2.0

"""A driver of cyborg-agent that reports the devices listed in a file.

It is for hardware that none of Cyborg's own drivers discovers, for labs and
for tests. ``[agent] enabled_drivers = file_driver`` in cyborg.conf turns it
on; ``[nova_cyborg] devices_file`` names the file.
"""

import json
import pathlib

import os_traits
from cyborg.accelerator.common import utils
from cyborg.accelerator.drivers import driver
from cyborg.common import constants
from cyborg.conf import CONF
from cyborg.objects.driver_objects import (
    driver_attach_handle,
    driver_attribute,
    driver_controlpath_id,
    driver_deployable,
    driver_device,
)

from nova_cyborg import conf, exception, model
from nova_cyborg.cyborg.agent import cleaning, devices, devices_file, program

#: The name in ``[agent] enabled_drivers``.
NAME = 'file_driver'


class FileDriver(driver.GenericDriver):
    """Report the devices listed in a file; see Cyborg's GenericDriver."""

    def __init__(self) -> None:
        """Read the configuration and the file.

        Now and not later, because a process may have several agents, each
        with a host and a file of its own set while it is made.

        :raises InvalidDevicesFile: if the file cannot be read or understood;
            the agent does not start.
        """
        conf.register_agent_opts(CONF)
        self._host = CONF.host
        self._file = devices_file.DevicesFile(CONF.nova_cyborg.devices_file)

    def discover(self) -> list[driver_device.DriverDevice]:
        """Return the devices, as the agent's periodic task asks for them.

        :returns: Cyborg's objects, new ones each time.
        """
        return [
            driver_device_of(device, self._host)
            for device in self._file.devices()
        ]

    def update(self, control_path: str, image_path: str) -> bool:
        """Load firmware: not possible, as nothing but addresses is known.

        :param control_path: the device.
        :param image_path: the firmware's file.
        :returns: False, for not updated.
        """
        return False

    def get_stats(self) -> dict[str, object]:
        """Return statistics: there are none.

        :returns: an empty dict.
        """
        return {}

    def clean(self, slot: cleaning.Slot) -> bool:
        """Run the program that the file names for a slot's device.

        :param slot: the slot.
        :returns: whether the device is one of the file.
        :raises CleaningFailed: if the file names no program, or it failed.
        :raises CleaningUnderWay: if the program runs already.
        """
        for device in self._file.devices():
            if _name(device, self._host) != slot.deployable:
                continue
            if device.cleaning is None:
                raise exception.CleaningFailed(
                    reason='The devices file names no program for it.'
                )
            # What the program gets does not come from the message bus alone.
            if slot.pci_address not in device.handles.addresses:
                raise exception.CleaningFailed(
                    reason='The devices file has no such slot.'
                )
            folder = pathlib.Path(CONF.state_path, 'nova_cyborg', 'cleaning')
            program.run(
                [*device.cleaning.program, slot.pci_address],
                device.cleaning.timeout,
                folder / f'{slot.name}.lock',
            )
            return True
        return False


def driver_device_of(
    device: devices.Device, host: str
) -> driver_device.DriverDevice:
    """Translate a device into what Cyborg's conductor takes.

    The form is that of Cyborg's own drivers, so that a card can go from
    one of them to this and back without losing its identity.

    :param device: a device of the file.
    :param host: the host it is in.
    :returns: Cyborg's object.
    """
    # The conductor compares all of these: none may be left unset.
    return driver_device.DriverDevice(
        vendor=device.vendor,
        model=device.product,
        type=device.type,
        std_board_info=json.dumps({'product_id': device.product}),
        vendor_board_info=None,
        stub=False,
        controlpath_id=driver_controlpath_id.DriverControlPathID(
            cpid_type=constants.CPID_TYPE_PCI,
            cpid_info=utils.pci_str_to_json(device.address),
        ),
        deployable_list=[_deployable(device, host)],
    )


def _name(device: devices.Device, host: str) -> str:
    # The resource provider's name, and its UUID is made of it: hence unique
    # in the cloud, and for ever the same.
    return f'{host}_{device.address}'


def _deployable(
    device: devices.Device, host: str
) -> driver_deployable.DriverDeployable:
    return driver_deployable.DriverDeployable(
        name=_name(device, host),
        driver_name=NAME,
        num_accelerators=len(device.handles.addresses),
        attribute_list=_attributes(device),
        attach_handle_list=[
            driver_attach_handle.DriverAttachHandle(
                attach_type=device.handles.type,
                attach_info=info,
                in_use=False,
            )
            for info in _attach_infos(device.handles)
        ],
    )


def _attributes(
    device: devices.Device,
) -> list[driver_attribute.DriverAttribute]:
    # Cyborg's drivers for GPUs and for PCI devices report this trait too.
    # It tells their VGPU from that which Nova manages itself.
    traits = sorted({*device.traits, os_traits.OWNER_CYBORG})
    pairs = [('rc', device.resource_class)]
    # Any key that begins with "trait" is a trait. Cyborg's own drivers
    # number them; but the conductor compares by key, and when a list
    # shifts, it takes traits from the provider that have only moved.
    pairs += [(f'trait_{name}', name) for name in traits]
    if device.cleaning is not None:
        seconds = str(device.cleaning.timeout)
        pairs.append((model.CLEANING_ATTRIBUTE, seconds))
    if device.unhealthy:
        pairs.append((model.HEALTH_ATTRIBUTE, device.unhealthy))
    return [
        driver_attribute.DriverAttribute(key=key, value=value)
        for key, value in pairs
    ]


def _attach_infos(handles: devices.Handles) -> list[str]:
    """Return the slots in the form of Cyborg's attach handles.

    That is JSON with the parts of the address; nova-compute reads them from
    the accelerator request. The conductor tells a device's handles apart by
    this text, so that mediated devices need a mark that numbers them.
    """
    if handles.mdev_type is None:
        return [
            utils.pci_str_to_json(address) for address in handles.addresses
        ]
    return [
        utils.mdev_str_to_json(
            address, handles.mdev_type, f'{handles.mdev_type}_{number}'
        )
        for number, address in enumerate(handles.addresses)
    ]
