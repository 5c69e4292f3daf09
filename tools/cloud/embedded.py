# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud: a process for each service, SQLite, and no broker."""

import sys

from tools.cloud import configs, kinds, programs, settings
from tools.cloud import state as cloud_state


class Embedded(kinds.Kind):
    """What makes a cloud an embedded one."""

    databases = ('sqlite',)

    def write_files(self, state: cloud_state.State) -> None:
        """Write the services' configuration files.

        :param state: the cloud.
        """
        configs.write(state)

    def programs(self, state: cloud_state.State) -> list[programs.Program]:
        """Return all programs.

        :param state: the cloud.
        :returns: one for each service.
        """
        return [_program(state, service) for service in settings.SERVICES]


def _program(state: cloud_state.State, service: str) -> programs.Program:
    return programs.Program(
        name=service,
        service=service,
        command=own(state, service),
        is_ready=state.ready(service).exists,
        url=state.url(service),
        # Eventlet is what the services leave behind; Nova still patches
        # unless told otherwise.
        environment={'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
    )


def own(state: cloud_state.State, service: str, *more: str) -> tuple[str, ...]:
    """Return the command of a process that is written in this package.

    :param state: the cloud.
    :param service: the module in ``tools.cloud.services``.
    :param more: further arguments.
    :returns: the command and its arguments.
    """
    module = 'tools.cloud.services'
    return (sys.executable, '-m', module, service, str(state.path), *more)
