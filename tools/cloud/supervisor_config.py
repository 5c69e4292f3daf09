# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""supervisord.conf: what the supervisor runs, and how."""

import pathlib
import sys

from tools.cloud import installation, ports, settings
from tools.cloud import state as cloud_state
from tools.cloud.configs import base

USER = 'supervisor'


def path(folder: pathlib.Path) -> pathlib.Path:
    """Return the supervisor's configuration file.

    :param folder: the cloud's folder.
    :returns: the file's path.
    """
    return folder / 'supervisord.conf'


def write(state: cloud_state.State) -> None:
    """Write the supervisor's configuration file.

    :param state: the cloud.
    """
    options = _supervisor(state)
    for service in settings.SERVICES:
        options[f'program:{service}'] = _program(state, service)
    # supervisord would take a percent sign for a reference.
    escaped = {
        section: {
            name: value.replace('%', '%%') for name, value in body.items()
        }
        for section, body in options.items()
    }
    base.write(path(state.path), escaped)


def _supervisor(state: cloud_state.State) -> base.Options:
    return {
        'supervisord': {
            'logfile': str(state.log('supervisord')),
            'pidfile': str(state.path / 'supervisord.pid'),
            'childlogdir': str(state.path / 'log'),
            'directory': str(state.path),
            'umask': '077',
        },
        # TCP, not a socket file, whose path could be too long for one.
        'inet_http_server': {
            'port': f'{ports.HOST}:{state.settings.ports["supervisor"]}',
            'username': USER,
            'password': state.settings.passwords['supervisor'],
        },
        'rpcinterface:supervisor': {
            'supervisor.rpcinterface_factory': 'supervisor.rpcinterface:'
            'make_main_rpcinterface',
        },
    }


def _program(state: cloud_state.State, service: str) -> dict[str, str]:
    environment = ','.join(
        f'{name}="{value}"'
        for name, value in installation.environment().items()
    )
    return {
        'command': f'"{sys.executable}" -m tools.cloud.services '
        f'{service} "{state.path}"',
        'environment': environment,
        'redirect_stderr': 'true',
        # Relative to where the supervisor is started: supervisord expands
        # the references of just this option twice.
        'stdout_logfile': f'log/{service}.log',
        # One file, in which nothing is lost.
        'stdout_logfile_maxbytes': '0',
        # A service that ends is a failure to be seen, not to be mended.
        'autorestart': 'false',
        'startsecs': '0',
        'stopwaitsecs': '5',
        'stopasgroup': 'true',
        'killasgroup': 'true',
    }
