# SPDX-License-Identifier: Apache-2.0

"""What the hypervisor machine's kernel starts with."""

import collections.abc
import gzip
import pathlib

from tools.seldom.guest.image import cpio, modules

# All there will ever be: the root file system has none.
MODULES = (
    # ext4 asks for this by its algorithm.
    'crc32c_generic',
    *('virtio_pci', 'virtio_blk', 'virtio_net', 'ext4'),
    *('9p', '9pnet_virtio'),
    *('vfio_iommu_type1', 'vfio_pci'),
    'kvm_amd',
    # The drivers of the devices when no guest has them.
    *('nvme', 'uio_pci_generic'),
)
_FOLDERS = ('dev', 'proc', 'root', 'sys')
_SCRIPTS = pathlib.Path(__file__).parent


def make(
    kernel: collections.abc.Iterable[pathlib.Path], busybox: pathlib.Path
) -> bytes:
    """Make the archive.

    :param kernel: where the kernel's packages are unpacked.
    :param busybox: the program.
    :returns: the archive, compressed.
    """
    loaded = modules.Modules(*kernel).closure(*MODULES)
    files = {
        'init': cpio.File((_SCRIPTS / 'stage1.sh').read_bytes()),
        # Goes on from the root file system, and is made more often than it.
        'hypervisor': cpio.File((_SCRIPTS / 'init.sh').read_bytes()),
        'bin/busybox': cpio.File(busybox.read_bytes()),
        'bin/sh': cpio.File.link('busybox'),
        'modules': cpio.File('\n'.join([*loaded, '']).encode()),
    }
    for name, content in loaded.items():
        files[f'lib/modules/{name}.ko'] = cpio.File(content)
    return gzip.compress(cpio.archive(files, _FOLDERS), mtime=0)
