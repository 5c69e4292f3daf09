# SPDX-License-Identifier: Apache-2.0

"""Flavors with a device profile, as stock clouds have them."""

import typing as ty

from tempest import config
from tempest.lib.common.utils import data_utils, test_utils

CONF = config.CONF


def profile_flavor(case: ty.Any) -> str:
    """Make a flavor whose device profile asks for one device.

    It is as large as that of other servers, and gone with the class.

    :param case: the class of tests that it is for.
    :returns: the flavor's id.
    """
    profile = _profile(case)
    client = case.os_admin.flavors_client
    like = client.show_flavor(CONF.compute.flavor_ref)['flavor']
    flavor = client.create_flavor(
        name=profile['name'],
        ram=like['ram'],
        vcpus=like['vcpus'],
        disk=like['disk'],
    )['flavor']
    case.addClassResourceCleanup(client.delete_flavor, flavor['id'])
    client.set_flavor_extra_spec(
        flavor['id'], **{'accel:device_profile': profile['name']}
    )
    return str(flavor['id'])


def _profile(case: ty.Any) -> dict[str, ty.Any]:
    client = case.os_admin.device_context.DeviceProfilesClient()
    group = {f'resources:{CONF.device_context.resource_class}': '1'}
    for trait in CONF.device_context.required_traits:
        group[f'trait:{trait}'] = 'required'
    name = data_utils.rand_name('profile', prefix=CONF.resource_name_prefix)
    made: dict[str, ty.Any] = client.create_device_profile(name, [group])
    case.addClassResourceCleanup(
        test_utils.call_and_ignore_notfound_exc,
        client.delete_device_profile,
        made['uuid'],
    )
    return made
