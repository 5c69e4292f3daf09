# SPDX-License-Identifier: Apache-2.0

"""Disks of the fake hypervisors: small files, whatever the image.

Nova's own fixture for this shares one object among all disks of a name,
which servers that boot at the same time would take from each other; and its
disks are not there when a hard reboot or a snapshot looks for them.
"""

import pathlib
import shutil
from typing import Any

from nova.virt.libvirt import imagebackend

_CONTENT = b'\0' * 65536


class FileDisk(imagebackend.Flat):
    """A disk of which only the file is real."""

    def cache(
        self, fetch_func: Any, filename: str, *args: Any, **kw: Any
    ) -> None:
        """Make the disk; no image is fetched for it."""
        self.create_image(fetch_func, filename, None)

    def create_image(
        self,
        prepare_template: Any,
        base: str,
        size: Any,
        *args: Any,
        **kw: Any,
    ) -> None:
        """Make the disk, unless it is there."""
        path = pathlib.Path(self.path)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_CONTENT)

    def resize_image(self, size: int) -> None:
        """Leave the disk as small as it is."""

    def snapshot_extract(self, target: str, out_format: str) -> None:
        """Copy the disk; there is nothing to convert."""
        shutil.copyfile(self.path, target)

    def _get_driver_format(self) -> str:
        return 'raw'


def backend(
    self: imagebackend.Backend, image_type: str | None = None
) -> type[FileDisk]:
    """Choose the class of a disk, in place of Nova's Backend.backend."""
    return FileDisk
