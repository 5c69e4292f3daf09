# SPDX-License-Identifier: Apache-2.0

"""nova.conf, where the hypervisors are real."""

import pathlib

from tools.cloud.configs import base, files
from tools.cloud.model import state as cloud_state

# What a guest needs beside its memory, and the machine itself.
_RESERVED_MIB = '640'


def guests(state: cloud_state.State) -> pathlib.Path:
    """Return the folder of the guests' disks.

    :returns: the folder: nova-compute and the hypervisor machines have it at
        the same path.
    """
    return state.folder('guests')


def change_of(state: cloud_state.State) -> files.Change:
    """Return what to change in the services' options.

    :returns: the change.
    """

    def change(options: base.Options) -> base.Options:
        return _nova(state, options) if 'libvirt' in options else options

    return change


def _nova(state: cloud_state.State, options: base.Options) -> base.Options:
    return {
        **options,
        'DEFAULT': {
            **options['DEFAULT'],
            'instances_path': str(guests(state)),
            'use_cow_images': 'true',
            # The guests have no network to ask for their metadata.
            'force_config_drive': 'true',
            'initial_cpu_allocation_ratio': '4.0',
            # A guest with a PCI device has all of its memory from the start.
            'initial_ram_allocation_ratio': '1.0',
            'reserved_host_memory_mb': _RESERVED_MIB,
            'initial_disk_allocation_ratio': '1.0',
            # A boot takes its time in a machine that is emulated.
            'rpc_response_timeout': '180',
        },
        'libvirt': {
            # The emulated processor has AMD's SVM, which QEMU does, too.
            'virt_type': 'kvm',
            'cpu_mode': 'none',
            'images_type': 'qcow2',
            'snapshot_image_format': 'qcow2',
        },
        # Else Nova looks for the guests' terminals outside of the machine.
        'serial_console': {'enabled': 'true'},
        'workarounds': {
            # libvirt knows no model that has all that the emulated processor
            # has, and finds it incompatible with itself.
            'skip_cpu_compare_on_dest': 'true',
        },
    }
