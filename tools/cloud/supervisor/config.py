# SPDX-License-Identifier: Apache-2.0

"""supervisord.conf: what the supervisor runs, and how."""

import collections.abc
import pathlib

from tools.cloud.configs import base
from tools.cloud.machine import installation, ports
from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state

USER = 'supervisor'


def path(folder: pathlib.Path) -> pathlib.Path:
    """Return the supervisor's configuration file.

    :param folder: the cloud's folder.
    :returns: the file's path.
    """
    return folder / 'supervisord.conf'


def write(
    state: cloud_state.State,
    every: collections.abc.Sequence[programs.Program],
) -> None:
    """Write the supervisor's configuration file.

    :param every: all programs.
    """
    options = _supervisor(state)
    for each in every:
        options[f'program:{each.name}'] = _program(each)
    options.update(_groups(every))
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


def _groups(every: collections.abc.Sequence[programs.Program]) -> base.Options:
    """Make a group of the programs of each service that has several.

    A program is else a group by itself, of the same name.
    """
    members: dict[str, list[str]] = {}
    for each in every:
        members.setdefault(each.service, []).append(each.name)
    return {
        f'group:{service}': {
            'programs': ','.join(names),
            # The later it is here, the earlier it is stopped.
            'priority': str(number),
        }
        for number, (service, names) in enumerate(members.items(), start=1)
        if names != [service]
    }


def _program(program: programs.Program) -> dict[str, str]:
    variables = {**installation.environment(), **program.environment}
    environment = ','.join(
        f'{name}="{value}"' for name, value in variables.items()
    )
    return {
        'command': ' '.join(f'"{part}"' for part in program.command),
        'environment': environment,
        'autostart': str(program.autostart).lower(),
        'redirect_stderr': 'true',
        # Relative to where the supervisor is started: supervisord expands
        # the references of just this option twice.
        'stdout_logfile': f'log/{program.name}.log',
        # One file, in which nothing is lost.
        'stdout_logfile_maxbytes': '0',
        # A service that ends is a failure to be seen, not to be mended.
        'autorestart': 'false',
        'startsecs': '0',
        'stopsignal': program.stop_signal,
        'stopwaitsecs': str(program.stop_seconds),
        'stopasgroup': 'true',
        'killasgroup': 'true',
    }
