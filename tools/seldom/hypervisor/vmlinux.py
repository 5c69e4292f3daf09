# SPDX-License-Identifier: Apache-2.0

"""The kernel without its wrapping: unpacking it under emulation takes long."""

import lzma

from tools.seldom.guest import exception

_XZ = b'\xfd7zXZ\0'
_ELF = b'\x7fELF'


def extract(vmlinuz: bytes) -> bytes:
    """Take the kernel out of its self-extracting file.

    :param vmlinuz: the file, as packages have it.
    :returns: an ELF file that QEMU can start directly (by PVH).
    :raises NoKernel: if there is none in the file.
    """
    begin = vmlinuz.find(_XZ)
    while begin >= 0:
        # What follows the compressed part is ignored by this class only.
        try:
            found = lzma.LZMADecompressor().decompress(vmlinuz[begin:])
        except lzma.LZMAError:
            found = b''
        if found.startswith(_ELF):
            return found
        begin = vmlinuz.find(_XZ, begin + 1)
    raise exception.NoKernel()
