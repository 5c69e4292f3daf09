# SPDX-License-Identifier: Apache-2.0

"""The programs of a real hypervisor: a host made of namespaces, libvirt's."""

import pathlib
import subprocess

from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state
from tools.cloud.production.hosts.real import files

SERVICE = 'hypervisors'

_SCRIPTS = pathlib.Path(__file__).parent
_NAMESPACES = ('--mount', '--uts', '--ipc', '--net', '--pid')
_SECONDS = 30


def all_programs(state: cloud_state.State) -> list[programs.Program]:
    """Return the programs of all real hypervisors.

    :returns: the programs, in the order in which they start.
    """
    return [
        program
        for host in state.settings.real_hosts
        for program in (
            _machine(state, host),
            _server(state, host, 'virtlogd', files.LOG_SOCKET),
            _server(state, host, 'libvirtd', files.SOCKET),
        )
    ]


def uri(host: str) -> str:
    """Return the address of a host's libvirt.

    :returns: the libvirt URI, for who is in the cloud's folder: from anywhere,
        the socket's path could be too long.
    """
    return f'qemu+unix:///system?socket=hypervisors/{host}/{files.SOCKET}'


def virsh(
    state: cloud_state.State, host: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Ask a host's libvirt something.

    :param arguments: virsh's command and its arguments.
    :returns: what came of it.
    """
    return subprocess.run(
        ['virsh', '--quiet', '--connect', uri(host), *arguments],
        cwd=state.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _machine(state: cloud_state.State, host: str) -> programs.Program:
    name = _machine_name(host)
    marker = state.ready(name)
    return programs.Program(
        name=name,
        service=SERVICE,
        command=(
            'unshare',
            *_NAMESPACES,
            '--fork',
            '--kill-child',
            'sh',
            str(_SCRIPTS / 'machine.sh'),
            str(state.path),
            host,
            str(marker),
        ),
        is_ready=marker.exists,
        # Its first process heeds no other, and takes all that run with it.
        stop_signal='KILL',
    )


def _server(
    state: cloud_state.State, host: str, name: str, socket: str
) -> programs.Program:
    marker = state.ready(_machine_name(host))
    return programs.Program(
        name=f'{name}-{host}',
        service=SERVICE,
        command=('sh', str(_SCRIPTS / 'enter.sh'), str(marker), name),
        is_ready=lambda: _answers(state, host, socket),
    )


def _machine_name(host: str) -> str:
    return f'machine-{host}'


def _answers(state: cloud_state.State, host: str, socket: str) -> bool:
    if socket == files.SOCKET:
        return virsh(state, host, 'nodeinfo').returncode == 0
    return (files.folder(state, host) / socket).exists()
