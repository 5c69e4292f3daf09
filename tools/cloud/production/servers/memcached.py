# SPDX-License-Identifier: Apache-2.0

"""memcached, in which the services keep tokens and more for a while."""

import socket

from tools.cloud.machine import ports
from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state
from tools.cloud.production.servers import rabbitmq

LISTENERS = ('memcached',)
_SECONDS = 5


def program(state: cloud_state.State) -> programs.Program:
    """Return memcached's program."""
    port = state.settings.ports['memcached']
    command = ('memcached', '-l', ports.HOST, '-p', str(port), '-m', '64')
    return programs.Program(
        name='memcached',
        service=rabbitmq.SERVICE,
        # It insists on another user than root, but not on which.
        command=(*command, '-u', 'root'),
        is_ready=lambda: _answers(port),
    )


def address(state: cloud_state.State) -> str:
    """Return where memcached listens.

    :returns: host and port.
    """
    return f'{ports.HOST}:{state.settings.ports["memcached"]}'


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((ports.HOST, port), _SECONDS) as sock:
            sock.sendall(b'version\r\n')
            return sock.recv(64).startswith(b'VERSION')
    except OSError:
        return False
