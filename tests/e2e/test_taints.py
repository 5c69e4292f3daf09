# SPDX-License-Identifier: Apache-2.0

"""A tainted device is given to who tolerates that, and to nobody else."""

import contextlib
import typing as ty

from tests.e2e import contexts, guest, person, servers
from tools.cloud import cloud as cloud_module

_DEVICE = ('compute1', '5000')
# What no other host has.
_TRAIT = 'CUSTOM_SOME_BAR_CAPABILITY'
_GROUP = {'resources:FPGA': '1', f'trait:{_TRAIT}': 'required'}
_FLAVOR = 'tainted'


def _device(admin: person.Person) -> str:
    """Return the UUID of the device."""
    found = admin.accelerator.get('/devices').json()['devices']
    [uuid] = [
        each['uuid']
        for each in found
        if (each['hostname'], each['model']) == _DEVICE
    ]
    return str(uuid)


def _flavor_of_profile(
    admin: person.Person, afterwards: contextlib.ExitStack
) -> None:
    profile = {'name': _FLAVOR, 'groups': [_GROUP]}
    made = admin.accelerator.post('/device_profiles', json=[profile]).json()
    afterwards.callback(
        admin.accelerator.delete, f'/device_profiles/{made["uuid"]}'
    )
    admin.run(
        f'openstack flavor create --public --ram 64 --disk 1 --vcpus 1 '
        f'--property accel:device_profile={_FLAVOR} {_FLAVOR}'
    )
    afterwards.callback(admin.run, f'openstack flavor delete {_FLAVOR}')


def _context(owner: person.Person) -> str:
    return contexts.create(owner, resources={'FPGA': 1}, required=[_TRAIT])


def _finds_no_host(
    owner: person.Person, *context_ids: str, **fields: ty.Any
) -> None:
    server_id = servers.boot(owner, *context_ids, **fields)
    message = servers.wait_fault(owner, server_id)['message']
    assert 'No valid host' in message
    servers.delete(owner, [server_id])


def test_who_tolerates_a_taint_gets_the_device(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    afterwards: contextlib.ExitStack,
) -> None:
    _flavor_of_profile(admin, afterwards)
    keeps_it = servers.boot_active(demo, _context(demo))
    taint = admin.show(
        f'openstack accelerator device taint create {_device(admin)} '
        "--key ecc-errors --reason 'Two a minute.'"
    )
    delete = f'openstack accelerator device taint delete {taint["uuid"]}'
    afterwards.callback(admin.try_to, delete)

    _finds_no_host(demo, _context(demo))
    _finds_no_host(demo, flavor=_FLAVOR)
    tolerates = demo.run(
        'cyborg device-context-create --resources FPGA:1 '
        f'--requires {_TRAIT} --tolerates ecc-errors'
    ).strip()
    gets_it = servers.boot_active(demo, tolerates)
    assert len(guest.hostdevs(cloud, gets_it)) == 1
    demo.is_refused('openstack accelerator device taint list')
    servers.act(demo, keeps_it, reboot={'type': 'HARD'})
    servers.wait_active(demo, keeps_it)
    assert len(guest.hostdevs(cloud, keeps_it)) == 1

    servers.delete(demo, [keeps_it, gets_it])
    admin.run(delete)
    assert admin.show('openstack accelerator device taint list') == []
    servers.delete(demo, [servers.boot_active(demo, flavor=_FLAVOR)])
