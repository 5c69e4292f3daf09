# SPDX-License-Identifier: Apache-2.0

"""Entries of devices files."""

GZIP = '0000:0c:00.0'
VGPU = '0000:af:00.0'


def gzip(**changes):
    return {
        'address': GZIP,
        'vendor': '8086',
        'product': '09c4',
        'type': 'FPGA',
        'resource_class': 'FPGA_GZIP',
        'traits': ['SOME_FOO_CAPABILITY'],
        **changes,
    }


def vgpu(number, mdev_type='nvidia-223'):
    return {
        'address': VGPU,
        'vendor': '10de',
        'product': '1eb8',
        'type': 'GPU',
        'resource_class': 'VGPU',
        'handles': {
            'type': 'MDEV',
            'mdev_type': mdev_type,
            'number': number,
        },
    }


def card(*slots, address='0000:72:00.0', **changes):
    """A card whose slots are the functions at these addresses."""
    return {
        'address': address,
        'vendor': '8086',
        'product': '09c4',
        'type': 'FPGA',
        'resource_class': 'YPU',
        'handles': {'addresses': list(slots)},
        **changes,
    }
