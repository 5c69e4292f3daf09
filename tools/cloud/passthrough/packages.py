# SPDX-License-Identifier: Apache-2.0

"""The packages that hypervisor machines take, outside of them."""

import os

from tools.cloud import exception
from tools.cloud.machine import packages
from tools.guest import programs

_NAMES = (
    # What Nova's driver calls.
    *('genisoimage', 'qemu-utils'),
    *('libvirt-clients', 'python3-libvirt'),
    'qemu-system-x86',
    *programs.PACKAGES,
)


def require() -> None:
    """Install the packages that are missing.

    :raises MissingPackages: if they cannot be installed.
    :raises NotRoot: if somebody else than root asks.
    """
    if os.geteuid() != 0:
        raise exception.NotRoot()
    packages.install(_NAMES)
