# SPDX-License-Identifier: Apache-2.0

"""A disk that a PC boots from: a FAT file system with SYSLINUX."""

import pathlib

from tools.seldom.guest import commands

# "nohz=off highres=off", which the kernel of the hypervisor machines has, are
# not set: in some 20 starts under load without them no timer was lost, and in
# one pair of starts a guest took 254 s with them, and 277 s without.
# No timer checks, mitigations or pictures: they take seconds under emulation.
# On a busy machine, the kernel may take minutes to come to its first process:
# that it tells its notices on the way, and the boot loader its own before, is
# how one that is slow is told from one that hangs. All that a kernel has to
# tell would take seconds more.
_ARGUMENTS = (
    'console=ttyS0 loglevel=6 mitigations=off no_timer_check nomodeset '
    'random.trust_cpu=on panic=-1'
)
_SYSLINUX = f"""\
SERIAL 0 115200
DEFAULT guest
LABEL guest
  LINUX vmlinuz
  INITRD initrd.gz
  APPEND {_ARGUMENTS}
"""
_KIB = 1024
# For the boot loader and the file system itself.
_SPARE = 1024 * _KIB


def make(
    path: pathlib.Path,
    kernel: bytes,
    initramfs: bytes,
    tools: tuple[pathlib.Path, ...],
) -> None:
    """Make the disk's image.

    :param path: where to write it; other files are made beside it.
    :param kernel: the kernel.
    :param initramfs: the archive that the kernel starts with.
    :param tools: folders that have mkfs.fat, mcopy and syslinux.
    :raises CommandFailed: if one of these fails.
    """
    files = {
        'vmlinuz': kernel,
        'initrd.gz': initramfs,
        'syslinux.cfg': _SYSLINUX.encode(),
    }
    size = (len(kernel) + len(initramfs) + _SPARE) // _KIB
    commands.run('mkfs.fat', '-C', str(path), str(size), tools=tools)
    for name, content in files.items():
        part = path.with_name(name)
        part.write_bytes(content)
        commands.run('mcopy', '-i', str(path), str(part), '::', tools=tools)
        part.unlink()
    commands.run('syslinux', '--install', str(path), tools=tools)
