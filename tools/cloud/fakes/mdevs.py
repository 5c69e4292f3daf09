# SPDX-License-Identifier: Apache-2.0

"""Mediated devices without hardware: a stand-in for the kernel's mdev bus.

On a real host cyborg-agent makes a mediated device by writing to sysfs, and
libvirt then lists it. Here both sides share a folder for each host, which
holds one file for each device.
"""

import dataclasses
import json
import pathlib
import re


@dataclasses.dataclass(frozen=True)
class Mdev:
    """A mediated device.

    :ivar uuid: its UUID.
    :ivar parent: PCI address of the device it is a part of.
    :ivar type_id: its type, such as nvidia-35.
    """

    uuid: str
    parent: str
    type_id: str

    @property
    def name(self) -> str:
        """The name that libvirt gives to the device."""
        return re.sub('[^0-9a-zA-Z]', '_', f'mdev_{self.uuid}_{self.parent}')

    @property
    def parent_name(self) -> str:
        """The name that libvirt gives to the parent device."""
        return re.sub('[^0-9a-zA-Z]', '_', f'pci_{self.parent}')


class MdevBus:
    """The mediated devices of one host.

    :param folder: where its files are.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, mdev: Mdev) -> None:
        """Make a device; one that is there already stays.

        :param mdev: the device.
        """
        text = json.dumps(dataclasses.asdict(mdev))
        (self._folder / mdev.uuid).write_text(text)

    def remove(self, uuid: str) -> None:
        """Remove a device.

        :param uuid: the device's UUID.
        """
        (self._folder / uuid).unlink(missing_ok=True)

    def devices(self) -> list[Mdev]:
        """Return all devices."""
        return [
            Mdev(**json.loads(path.read_text()))
            for path in sorted(self._folder.iterdir())
        ]
