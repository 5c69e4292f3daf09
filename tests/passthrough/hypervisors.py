# SPDX-License-Identifier: Apache-2.0

"""What is inside the hypervisor machines, as libvirt there tells it."""

import collections.abc
import contextlib
import pathlib
import re
import subprocess

import yaml

from tests.e2e import person, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud import exception
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import guests as passthrough
from tools.cloud.passthrough import machines, virsh
from tools.seldom.guest import domain as guest_domain
from tools.seldom.guest import report as guest_report
from tools.seldom.hypervisor import shell

_DRIVER = re.compile(r'<driver>\s*<name>([^<]+)</name>')
#: The driver of a device that no guest has, by the kind of device.
HOST_DRIVERS = {'edu': 'uio_pci_generic', 'nvme': 'nvme'}


def devices(host: str, kind: str) -> list[str]:
    """Return the addresses of a host's devices of a kind."""
    return [
        each.address for each in machines.DEVICES[host] if each.kind == kind
    ]


def guests(cloud: cloud_module.Cloud, host: str) -> list[str]:
    """Return the UUIDs of the guests of a host, running or not."""
    return ask(cloud, host, 'list', '--all', '--uuid').split()


def domain(cloud: cloud_module.Cloud, server_id: str) -> guest_domain.Domain:
    """Return the guest of a server, on whichever host it is."""
    return passthrough.find(_state(cloud), server_id)


def tell(cloud: cloud_module.Cloud) -> str:
    """Return what there is to see of all guests."""
    parts = []
    try:
        hosts = cloud.hosts()
    except exception.NotRunning as error:
        # What failed was the end of the last test.
        return str(error)
    for host in hosts:
        parts.append(f'=== {host}')
        try:
            server_ids = guests(cloud, host)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            parts.append(f'its libvirt does not answer: {error}')
            continue
        parts += [
            f'== the guest of {each}\n'
            f'{guest_report.of(passthrough.of(_state(cloud), host, each))}'
            for each in server_ids
        ]
    return '\n'.join(parts)


def driver(cloud: cloud_module.Cloud, host: str, address: str) -> str | None:
    """Return the driver that a device has in the host's kernel."""
    name = 'pci_' + re.sub('[:.]', '_', address)
    found = virsh.call(_state(cloud), host, 'nodedev-dumpxml', name)
    # Of one that is not there, or goes meanwhile, virsh complains.
    match = _DRIVER.search(found.stdout)
    return match and match[1]


def drivers(cloud: cloud_module.Cloud, host: str) -> dict[str, str | None]:
    """Return the drivers that a host's devices have, by their addresses."""
    return {
        each.address: driver(cloud, host, each.address)
        for each in machines.DEVICES[host]
    }


def host_drivers(host: str) -> dict[str, str | None]:
    """Return the drivers that a host's devices have when no guest has them."""
    return {
        each.address: HOST_DRIVERS[each.kind]
        for each in machines.DEVICES[host]
    }


def wait_for_driver(
    cloud: cloud_module.Cloud, host: str, address: str
) -> None:
    """Wait until the host has a device, and nobody else."""
    wanted = host_drivers(host)[address]
    waiting.until(
        f'{address} to have its host driver',
        lambda: driver(cloud, host, address) == wanted,
    )


@contextlib.contextmanager
def removed(
    cloud: cloud_module.Cloud, host: str, address: str
) -> collections.abc.Iterator[None]:
    """Take a device out of a host, from the guest too that has it."""
    # The kernel waits until the guest has let it go.
    run(cloud, host, f'(echo 1 >/sys/bus/pci/devices/{address}/remove &)')
    try:
        waiting.until(
            f'{address} to be gone',
            lambda: driver(cloud, host, address) is None,
        )
        yield
    finally:
        run(cloud, host, 'echo 1 >/sys/bus/pci/rescan')
        wait_for_driver(cloud, host, address)


@contextlib.contextmanager
def not_reported(
    cloud: cloud_module.Cloud, host: str, address: str
) -> collections.abc.Iterator[None]:
    """Have the agent of a host not report a device."""
    path = _state(cloud).devices(host)
    before = path.read_text()
    listed = yaml.safe_load(before)
    listed['devices'] = [
        each for each in listed['devices'] if each['address'] != address
    ]
    path.write_text(yaml.safe_dump(listed))
    try:
        yield
    finally:
        path.write_text(before)


def written(cloud: cloud_module.Cloud, host: str, address: str) -> int:
    """Return when a drive of a host was written to, in nanoseconds."""
    [drive] = [
        each for each in machines.DEVICES[host] if each.address == address
    ]
    return machines.disk(_state(cloud), host, drive).stat().st_mtime_ns


def log(cloud: cloud_module.Cloud, host: str) -> str:
    """Return what the kernel of a host has complained of."""
    return path(cloud, host).read_text(errors='replace')


def path(cloud: cloud_module.Cloud, host: str) -> pathlib.Path:
    """Return the log of a host."""
    name = machines.program_name(host)
    return cloud.log_paths(name)[name]


def enable(admin: person.Person, host: str, enabled: bool) -> None:
    """Let the scheduler choose a host, or not."""
    set_service(admin, host, status='enabled' if enabled else 'disabled')


def set_service(admin: person.Person, host: str, **fields: object) -> None:
    """Change the record of a host's nova-compute."""
    found = admin.compute.get(
        f'/os-services?binary=nova-compute&host={host}'
    ).json()['services']
    admin.compute.put(f'/os-services/{found[0]["id"]}', json=fields)


def run(cloud: cloud_module.Cloud, host: str, command: str) -> str:
    """Run a command in a host."""
    return shell.run(machines.shell(_state(cloud), host), command)


def ask(cloud: cloud_module.Cloud, host: str, *arguments: str) -> str:
    """Run virsh on a host's libvirt."""
    done = virsh.call(_state(cloud), host, *arguments)
    assert done.returncode == 0, done
    return done.stdout


def _state(cloud: cloud_module.Cloud) -> cloud_state.State:
    state = cloud_state.State.load(cloud.folder)
    assert state is not None
    return state
