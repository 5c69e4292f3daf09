# SPDX-License-Identifier: Apache-2.0

"""Questions to the libvirt of hypervisor machines."""

import subprocess

from tools.cloud import exception
from tools.cloud.machine import ports
from tools.cloud.model import state as cloud_state

_SECONDS = 30.0
_READY_SECONDS = 5.0


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


def domain_xml(state: cloud_state.State, server_id: str) -> str:
    """Return a server's guest definition.

    :returns: the XML that libvirt has of it.
    :raises NoGuest: if no host has it.
    """
    for host in state.settings.hosts:
        done = call(state, host, 'dumpxml', server_id)
        if not done.returncode:
            return done.stdout
    raise exception.NoGuest(server_id)
