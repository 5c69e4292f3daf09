# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The kernel without its wrapping: unpacking it under emulation takes long."""

import lzma

from tools.guest import exception

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
