# SPDX-License-Identifier: Apache-2.0

"""What a flavor asks for beside device contexts."""

import pytest
from nova.objects import flavor as flavor_objects

from nova_cyborg import cyborg_client, model
from nova_cyborg.nova import groups


def flavor(**fields):
    return flavor_objects.Flavor(**fields)


@pytest.mark.parametrize(
    ('extra_specs', 'profile', 'resources'),
    [
        ({}, None, []),
        ({'accel:device_profile': 'gzip'}, 'gzip', []),
        ({'accel:device_profile': model.FLAVOR_MARKER}, None, []),
        (
            # Each class from any provider.
            {'resources:FPGA': '1', 'resources:GPU': '2'},
            None,
            [{'FPGA': 1}, {'GPU': 2}],
        ),
        (
            # All of a group from one provider.
            {
                'resources_a:FPGA': '1',
                'resources_a:GPU': '2',
                'resources2:FPGA': '3',
                'trait_a:CUSTOM_A': 'required',
            },
            None,
            [{'FPGA': 1, 'GPU': 2}, {'FPGA': 3}],
        ),
        ({'resources:VCPU': '0', 'resources:FPGA': 'one'}, None, []),
    ],
)
def test_what_a_flavor_asks_for(extra_specs, profile, resources):
    found = groups.asked_by(flavor(extra_specs=extra_specs))

    assert found == cyborg_client.FlavorRequest(profile, tuple(resources))


def test_a_flavor_that_was_read_without_extra_specs():
    assert groups.asked_by(flavor()) == cyborg_client.FlavorRequest()


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ({'hw:cpu_policy': 'dedicated'}, None),
        ({'resources:FPGA': '1'}, 'none'),
        ({'resources_a:FPGA': '1'}, 'none'),
        ({'resources:FPGA': '1', 'group_policy': 'isolate'}, 'isolate'),
    ],
)
def test_one_provider_may_do_for_several(before, after):
    copy = flavor(extra_specs=before)

    groups.allow_same_provider(copy)

    assert copy.extra_specs.get('group_policy') == after
    assert before.items() <= copy.extra_specs.items()
