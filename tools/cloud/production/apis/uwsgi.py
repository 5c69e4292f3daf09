# SPDX-License-Identifier: Apache-2.0

"""The APIs, each under uWSGI with two worker processes."""

import pathlib

from tools.cloud import waiting
from tools.cloud.configs import base
from tools.cloud.machine import installation, ports
from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state

_PROCESSES = 2
_THREADS = 4

# What each package calls its application's module.
_MODULES = {
    'keystone': 'keystone.wsgi.api',
    'placement': 'placement.wsgi.api',
    'glance': 'glance.wsgi.api',
    'neutron': 'neutron.wsgi.api',
    'nova': 'nova.wsgi.osapi_compute',
    'cyborg': 'cyborg.wsgi.api',
}
# What workers load before that.
_FIRST = {'neutron': 'tools.cloud.production.apis.neutron_models'}


def write_files(state: cloud_state.State) -> None:
    """Write uWSGI's configuration for each API."""
    for service in _MODULES:
        base.write(_path(state, service), {'uwsgi': _options(state, service)})


def program(state: cloud_state.State, service: str) -> programs.Program:
    """Return the program of a service's API.

    :param service: the service.
    """
    url = state.url(service)
    alone = service not in ('nova', 'cyborg')
    return programs.Program(
        name=service if alone else f'{service}-api',
        service=service,
        command=(
            installation.script('pyuwsgi'),
            '--ini',
            str(_path(state, service)),
        ),
        is_ready=lambda: waiting.answers(url),
        url=url,
        environment=_environment(state, service),
        autostart=False,
    )


def _path(state: cloud_state.State, service: str) -> pathlib.Path:
    return state.config(service).with_name('uwsgi.ini')


def _options(state: cloud_state.State, service: str) -> dict[str, str]:
    return {
        'module': f'{_MODULES[service]}:application',
        # Cyborg is told by its command line only.
        'pyargv': f'--config-file {state.config("cyborg")}'
        if service == 'cyborg'
        else '',
        'import': _FIRST.get(service, ''),
        'http-socket': f'{ports.HOST}:{state.settings.ports[service]}',
        'http-chunked-input': 'true',
        # Nova uploads snapshots in chunks of 1 MiB, which is the most by
        # default, and includes what comes before the chunk.
        'chunked-input-limit': '4194304',
        'chunked-input-timeout': '60',
        'master': 'true',
        'processes': str(_PROCESSES),
        'threads': str(_THREADS),
        'enable-threads': 'true',
        # Each worker loads the application itself: they share no connection.
        'lazy-apps': 'true',
        'need-app': 'true',
        'die-on-term': 'true',
        'no-orphans': 'true',
        'worker-reload-mercy': '3',
        'buffer-size': '65535',
        'add-header': 'Connection: close',
        'auto-procname': 'false',
    }


def _environment(state: cloud_state.State, service: str) -> dict[str, str]:
    config = str(state.config(service))
    folder = str(state.config(service).parent)
    variables = {
        'keystone': {'OS_KEYSTONE_CONFIG_FILES': config},
        'placement': {'OS_PLACEMENT_CONFIG_DIR': folder},
        'glance': {'OS_GLANCE_CONFIG_DIR': folder},
        'neutron': {'OS_NEUTRON_CONFIG_FILES': config},
        'nova': {'OS_NOVA_CONFIG_FILES': f'{_nova_paste()};{config}'},
    }
    return variables.get(service, {})


def _nova_paste() -> pathlib.Path:
    return installation.packaged('nova', 'api-paste.ini')
