# SPDX-License-Identifier: Apache-2.0

"""Gives each nova-compute of the process a hypervisor of its own."""

from typing import Any
from unittest import mock

import fixtures
from nova import privsep
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver, imagebackend
from nova.virt.libvirt import host as libvirt_host

from tools.cloud.fakes import connection, disks, domains, mdevs, node_devices
from tools.cloud.model import state as cloud_state

_DISK_GB = {'total': 128, 'used': 44, 'free': 84}


def install(state: cloud_state.State, hosts: list[str]) -> None:
    """Put the hypervisors where the libvirt driver looks for libvirt.

    Nova's fixtures replace the libvirt module, disk images, and whatever
    else would touch the machine, for the rest of the process's life.

    :param hosts: the hosts that the process has computes of.
    """
    for fixture in _fixtures():
        fixture.setUp()
    connected = {host: _connect(state, host) for host in hosts}

    def open_auth(uri: str, auth: Any, flags: int = 0) -> Any:
        return connected[uri.rpartition('/')[2]]

    # The one place where the driver opens its connection.
    mock.patch.object(fakelibvirt, 'openAuth', open_auth).start()


def uri(state: cloud_state.State, host: str) -> str:
    """Return the address that a host's libvirt driver connects to.

    :returns: the libvirt URI.
    """
    return domains.uri(host)


def _fixtures() -> tuple[fixtures.Fixture, ...]:
    return (
        # The driver's event thread is wanted, and gets its events from us.
        fixtures.MockPatchObject(fakelibvirt, 'disable_event_thread'),
        fixtures.MockPatchObject(
            fakelibvirt, 'virEventRunDefaultImpl', connection.run_events
        ),
        nova_fixtures.LibvirtFixture(),
        fixtures.MockPatchObject(
            imagebackend.Backend, 'backend', disks.backend
        ),
        nova_fixtures.CGroupsFixture(),
        nova_fixtures.OSBrickFixture(),
        # Nothing privileged is left to do.
        fixtures.MockPatchObject(
            privsep.sys_admin_pctxt, 'client_mode', False
        ),
        fixtures.MockPatchObject(
            driver.LibvirtDriver, '_get_local_gb_info', return_value=_DISK_GB
        ),
        fixtures.MockPatchObject(
            libvirt_host.Host,
            'get_online_cpus',
            return_value=set(range(16)),
        ),
    )


def _connect(state: cloud_state.State, host: str) -> connection.Connection:
    return connection.Connection(
        host,
        domains.DomainStore(state.folder('domains', host)),
        node_devices.MdevInfo(mdevs.MdevBus(state.folder('mdevs', host))),
    )
