# SPDX-License-Identifier: Apache-2.0

"""The images, made once a machine: they outlive clouds."""

import dataclasses
import functools
import os
import pathlib

from tools.command_line import progress
from tools.seldom.guest.image import image as guest_image
from tools.seldom.guest.image import programs
from tools.seldom.hypervisor import image as hypervisor_image


@dataclasses.dataclass(frozen=True)
class Images:
    """All images.

    :ivar hypervisor: what the hypervisor machines run.
    :ivar guest: path of the disk that servers boot.
    """

    hypervisor: hypervisor_image.Image
    guest: pathlib.Path


@functools.cache
def build() -> Images:
    """Make the images, unless they are there.

    :returns: the images.
    :raises GuestError: if one cannot be made.
    """
    folder = cache()
    report = progress.Progress()
    return Images(
        hypervisor_image.build(folder, report),
        guest_image.build(folder, report, programs.build()),
    )


def cache() -> pathlib.Path:
    """Return the folder that images are kept in.

    :returns: the folder, which may not exist yet.
    """
    base = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    return pathlib.Path(base, 'nova-cyborg')
