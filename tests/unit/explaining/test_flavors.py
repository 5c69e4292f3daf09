# SPDX-License-Identifier: Apache-2.0

"""What a flavor and an image ask of a host."""

import pytest

from nova_cyborg.explaining import flavors, requirements

FLAVOR = {'vcpus': 2, 'ram': 512, 'disk': 1, 'ephemeral': 3, 'swap': 1025}


def test_no_flavor_asks_for_nothing():
    assert flavors.server({}, {}) == requirements.Server()


def test_all_disks_are_counted_in_gigabytes():
    assert flavors.server(FLAVOR, {}).resources == (
        ('VCPU', 2),
        ('MEMORY_MB', 512),
        ('DISK_GB', 6),
    )


@pytest.mark.parametrize(
    ('value', 'amount'),
    [
        ('3', 3),
        # As Python reads it, and Nova.
        (' 3 ', 3),
        ('+3', 3),
        ('1_0', 10),
        ('\u0663', 3),
        # What it says of itself stays.
        ('-3', 512),
        ('3.0', 512),
        ('much', 512),
        ('', 512),
        ('\u00b2', 512),
    ],
)
def test_amounts_are_read_as_nova_reads_them(value, amount):
    flavor = FLAVOR | {'extra_specs': {'resources:MEMORY_MB': value}}

    assert dict(flavors.server(flavor, {}).resources)['MEMORY_MB'] == amount
    assert bool(flavors.ignored(flavor, {})) == (amount == 512)

    numbered = FLAVOR | {'extra_specs': {'resources_a-1:CUSTOM_X': value}}
    others = dict(flavors.server(numbered, {}).others)
    assert others == (
        {} if amount == 512 else {'resources_F_a-1': f'CUSTOM_X:{amount}'}
    )
    assert bool(flavors.ignored(numbered, {})) == (amount == 512)


@pytest.mark.parametrize(
    ('key', 'value', 'is_ignored'),
    [
        ('resources:FPGA', '0', False),
        ('resources:CUSTOM_', '1', False),
        ('resources:custom_x', '1', True),
        ('resources1:NOSUCH', '1', True),
        (f'resources{"a" * 64}:NOSUCH', '1', True),
        # None of these is looked at.
        (f'resources{"a" * 65}:NOSUCH', '1', False),
        ('resource:NOSUCH', '1', False),
        ('hw:cpu_policy', 'maybe', False),
        ('trait:CUSTOM_X', 'required', False),
        ('trait2:CUSTOM_X', 'forbidden', False),
        ('trait:CUSTOM_X', 'Required', True),
    ],
)
def test_what_nova_ignores(key, value, is_ignored):
    said = flavors.ignored({'extra_specs': {key: value}}, {})

    assert [each.split()[2] for each in said] == ([key] if is_ignored else [])


def test_an_image_requires_traits_and_forbids_none():
    image = {
        'trait:CUSTOM_A': 'required',
        'trait:CUSTOM_B': 'forbidden',
        'os_distro': 'maybe',
    }

    for flavor in ({}, FLAVOR):
        found = flavors.server(flavor, image).traits
        assert [name for _key, name in found if 'CUSTOM' in name] == [
            'CUSTOM_A'
        ]
    assert flavors.ignored({}, image) == [
        'Nova ignores trait:CUSTOM_B of the image: "forbidden" is not '
        'required.'
    ]


def test_extra_specs():
    specs = {
        'hw:cpu_policy': 'dedicated',
        'resources:DISK_GB': '0',
        'resources:CUSTOM_X': '2',
        'trait:HW_CPU_X86_AVX': 'required',
        'trait:CUSTOM_Y': 'forbidden',
        'resources1:VGPU': '1',
        'trait1:CUSTOM_Z': 'required',
        'hw:mem_page_size': 'large',
        'accel:device_profile': 'zip',
    }
    flavor = FLAVOR | {'extra_specs': specs}

    found = flavors.server(flavor, {'trait:CUSTOM_I': 'required'})

    assert dict(found.resources) == {
        'PCPU': 2,
        'MEMORY_MB': 512,
        'CUSTOM_X': 2,
    }
    assert found.traits == (
        ('required', 'HW_CPU_X86_AVX'),
        ('required', '!CUSTOM_Y'),
        ('required', 'CUSTOM_I'),
        *requirements.HOST_TRAITS,
    )
    assert dict(found.others) == {
        'resources_F1': 'VGPU:1',
        'required_F1': 'CUSTOM_Z',
    }
    assert flavors.profile(flavor) == 'zip'
    assert flavors.profile({}) is None
