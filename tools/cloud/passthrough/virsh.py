# SPDX-License-Identifier: Apache-2.0

"""Questions to the libvirt of hypervisor machines."""

import subprocess

from tools.cloud import exception
from tools.cloud.machine import ports
from tools.cloud.model import state as cloud_state

_SECONDS = 30.0
_READY_SECONDS = 5.0
# What virsh says of a guest that does not run.
_NO_NUMBER = '-'


def listener(host: str) -> str:
    """Return the name of the port that a host's libvirt has outside.

    :returns: the name, as in the cloud's settings.
    """
    return f'libvirt-{host}'


def uri(state: cloud_state.State, host: str) -> str:
    """Return the address of a host's libvirt.

    :returns: the libvirt URI.
    """
    port = state.settings.ports[listener(host)]
    return f'qemu+tcp://{ports.HOST}:{port}/system'


def call(
    state: cloud_state.State,
    host: str,
    *arguments: str,
    seconds: float = _SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Ask a host's libvirt something.

    :param arguments: virsh's command and its arguments.
    :param seconds: how long it may take.
    :returns: what came of it.
    :raises TimeoutExpired: if nothing did.
    """
    return subprocess.run(
        ['virsh', '--quiet', '--connect', uri(state, host), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def answers(state: cloud_state.State, host: str) -> bool:
    """Tell whether a host's libvirt answers.

    :returns: True if it does, soon.
    """
    try:
        done = call(state, host, 'nodeinfo', seconds=_READY_SECONDS)
    except subprocess.TimeoutExpired:
        # The port is QEMU's: it is there before anything listens inside.
        return False
    return done.returncode == 0


def hosts_of(state: cloud_state.State, server_id: str) -> list[str]:
    """Find the hosts that have a server's guest.

    :returns: the hosts: two while it moves, the one first on which it runs.
    """
    numbers = {
        host: number
        for host in state.settings.hosts
        if (number := _number(state, host, server_id)) is not None
    }
    return sorted(numbers, key=lambda host: numbers[host] == _NO_NUMBER)


def domain_xml(state: cloud_state.State, server_id: str) -> str:
    """Return a server's guest definition.

    :returns: the XML that libvirt has of it.
    :raises NoGuest: if no host has it.
    """
    for host in hosts_of(state, server_id):
        done = call(state, host, 'dumpxml', server_id)
        if not done.returncode:
            return done.stdout
    raise exception.NoGuest(server_id)


def _number(state: cloud_state.State, host: str, server_id: str) -> str | None:
    try:
        done = call(state, host, 'domid', server_id)
    except subprocess.TimeoutExpired:
        # It may answer the next time.
        return None
    return None if done.returncode else done.stdout.strip()
