# SPDX-License-Identifier: Apache-2.0

"""What is inside the guest."""

import collections.abc
import gzip
import pathlib

from tools.seldom.guest.image import cpio, modules

# The disk is the firmware's to read. This is for the config drive, the power
# button, and NVMe devices that are passed through.
MODULES = (
    *('button', 'evdev'),
    *('ata_piix', 'ahci', 'sr_mod', 'isofs'),
    *('virtio_pci', 'virtio_blk'),
    'nvme',
)
_FOLDERS = ('dev', 'media', 'proc', 'sys', 'tmp')
_SCRIPTS = {
    name: pathlib.Path(__file__).with_name(f'{name}.sh')
    for name in ('init', 'tell', 'plugged')
}
_POWER = pathlib.Path(__file__).with_name('power.sh')
# Where busybox's acpid looks for what to do when the button is pressed.
_POWER_PATH = 'etc/acpi/PWRF/00000080'


def make(
    kernel: collections.abc.Iterable[pathlib.Path],
    busybox: pathlib.Path,
    programs: collections.abc.Mapping[str, bytes],
) -> bytes:
    """Make the archive.

    :param kernel: where the kernel's packages are unpacked.
    :param busybox: the program.
    :param programs: further programs that the guest runs when it has
        started, in this order; by their names.
    :returns: the archive, compressed.
    """
    loaded = modules.Modules(*kernel).closure(*MODULES)
    files = {
        'init': cpio.File(_SCRIPTS['init'].read_bytes()),
        'tell.sh': cpio.File(_SCRIPTS['tell'].read_bytes()),
        'plugged.sh': cpio.File(_SCRIPTS['plugged'].read_bytes()),
        _POWER_PATH: cpio.File(_POWER.read_bytes()),
        'bin/busybox': cpio.File(busybox.read_bytes()),
        'bin/sh': cpio.File.link('busybox'),
        'modules': cpio.File('\n'.join([*loaded, '']).encode()),
        'programs': cpio.File('\n'.join([*programs, '']).encode()),
    }
    for name, content in loaded.items():
        files[f'lib/modules/{name}.ko'] = cpio.File(content)
    for name, content in programs.items():
        files[f'usr/bin/{name}'] = cpio.File(content)
    # The same content is to make the same image.
    return gzip.compress(cpio.archive(files, _FOLDERS), mtime=0)
