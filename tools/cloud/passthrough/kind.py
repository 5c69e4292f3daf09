# SPDX-License-Identifier: Apache-2.0

"""What makes a cloud one with hypervisor machines."""

import dataclasses
import pathlib

from tools.cloud.configs import files
from tools.cloud.embedded import kind as embedded
from tools.cloud.machine import libvirt_module, packages
from tools.cloud.model import kind, programs
from tools.cloud.model import settings as cloud_settings
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import config, images, machines, virsh

# They wait for the machines, and not for ever.
_LATE = ('nova', 'cyborg')


class Passthrough(embedded.Embedded):
    """The embedded cloud, but for the hypervisors."""

    max_computes = len(machines.DEVICES)
    devices = pathlib.Path(__file__).with_name('devices')
    listeners = tuple(map(machines.listener, machines.DEVICES))
    seconds = 900.0

    def require(self, settings: cloud_settings.Settings) -> None:
        """Install packages that the machine lacks, and make the images."""
        packages.require('passthrough')
        libvirt_module.require()
        images.build()

    def write_files(self, state: cloud_state.State) -> None:
        """Write the configuration files, and what the machines need."""
        files.write(state, config.change_of(state))
        libvirt_module.link(state.folder('hypervisors', 'python'))
        machines.write_files(state)

    def programs(self, state: cloud_state.State) -> list[programs.Program]:
        """Return all programs."""
        return [
            *machines.all_programs(state),
            *(_service(state, each) for each in super().programs(state)),
        ]

    def start(self, state: cloud_state.State, steps: kind.Steps) -> None:
        """Start Nova and Cyborg, when there are hypervisors for them."""
        for each in machines.all_programs(state):
            steps.wait(f'{each.name} runs', each.is_ready)
        steps.start(*_LATE)

    def image(self, state: cloud_state.State) -> bytes:
        """Return what the image is that servers boot: the tiny guest."""
        return machines.guest_image(state).read_bytes()

    def domain_xml(self, state: cloud_state.State, server_id: str) -> str:
        """Return a server's guest definition, whatever its host."""
        return virsh.domain_xml(state, server_id)


def _service(
    state: cloud_state.State, program: programs.Program
) -> programs.Program:
    if program.name == 'nova':
        return dataclasses.replace(
            program,
            command=embedded.own(state, 'tools.cloud.passthrough.nova'),
            environment={
                **program.environment,
                **libvirt_module.environment(
                    state.folder('hypervisors', 'python')
                ),
            },
            autostart=False,
        )
    return dataclasses.replace(program, autostart=program.name not in _LATE)
