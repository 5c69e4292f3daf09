# SPDX-License-Identifier: Apache-2.0

"""libvirt's Python module, for an environment that lacks it.

The package index has its source only, which takes a compiler and libvirt's
headers. The machine's packages have it compiled, for the machine's Python:
the one that environments are made of, which do not see its modules.
"""

import importlib.machinery
import importlib.util
import os
import pathlib

from tools.cloud import exception
from tools.cloud.machine import installation

_MACHINE = pathlib.Path('/usr/lib/python3/dist-packages')
_SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
_FILES = (
    'libvirt.py',
    f'libvirtmod{_SUFFIX}',
    'libvirt_qemu.py',
    f'libvirtmod_qemu{_SUFFIX}',
)


def require() -> None:
    """Make sure that this Python can use the module.

    :raises OtherPython: if it is for another one.
    """
    if not _is_ours() and not (_MACHINE / _FILES[1]).exists():
        raise exception.OtherPython(_MACHINE, _SUFFIX)


def link(folder: pathlib.Path) -> None:
    """Fill a folder that is on a process's path with the module.

    :param folder: the folder.
    """
    if _is_ours():
        return
    for name in _FILES:
        (folder / name).symlink_to(_MACHINE / name)


def environment(folder: pathlib.Path) -> dict[str, str]:
    """Return the variables with which a process finds the module.

    :param folder: the folder that was filled.
    """
    inherited = installation.environment()['PYTHONPATH']
    return {'PYTHONPATH': os.pathsep.join((inherited, str(folder)))}


def _is_ours() -> bool:
    """Tell whether the environment has the module itself."""
    return importlib.util.find_spec('libvirt') is not None
