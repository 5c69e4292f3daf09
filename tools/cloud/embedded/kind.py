# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud: a process for each service, SQLite, and no broker."""

import sys

from tools.cloud.configs import files
from tools.cloud.fakes import domains
from tools.cloud.model import kind, programs
from tools.cloud.model import state as cloud_state

_MODULES = {
    'keystone': 'tools.cloud.embedded.keystone.process',
    'placement': 'tools.cloud.embedded.placement',
    'glance': 'tools.cloud.embedded.glance',
    'neutron': 'tools.cloud.embedded.neutron.process',
    'nova': 'tools.cloud.embedded.nova.process',
    'cyborg': 'tools.cloud.embedded.cyborg.process',
}


class Embedded(kind.Kind):
    """What makes a cloud an embedded one."""

    databases = ('sqlite',)

    def write_files(self, state: cloud_state.State) -> None:
        """Write the services' configuration files."""
        files.write(state)

    def programs(self, state: cloud_state.State) -> list[programs.Program]:
        """Return all programs."""
        return [_program(state, service) for service in _MODULES]

    def domain_xml(self, state: cloud_state.State, server_id: str) -> str:
        """Return what Nova's driver gave to the fake libvirt."""
        return domains.find(state.folder('domains'), server_id)


def _program(state: cloud_state.State, service: str) -> programs.Program:
    return programs.Program(
        name=service,
        service=service,
        command=own(state, _MODULES[service]),
        is_ready=state.ready(service).exists,
        url=state.url(service),
        # Eventlet is what the services leave behind; Nova still patches
        # unless told otherwise.
        environment={'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
    )


def own(state: cloud_state.State, module: str, *more: str) -> tuple[str, ...]:
    """Return the command of a process that is written in this package.

    :param module: the module whose ``run`` it is.
    :param more: further arguments.
    :returns: the command and its arguments.
    """
    launcher = 'tools.cloud.embedded'
    return (sys.executable, '-m', launcher, module, str(state.path), *more)
