# SPDX-License-Identifier: Apache-2.0

"""What a flavor and an image ask of a host."""

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
