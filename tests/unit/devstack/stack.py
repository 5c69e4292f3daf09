# SPDX-License-Identifier: Apache-2.0

"""A devstack without devstack: its files, and the phases of two plugins."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess

from oslo_config import iniparser

_HERE = pathlib.Path(__file__).parent
PLUGIN = _HERE.parents[2] / 'devstack'
ALL = (
    'nova n-api n-super-cond n-cond-cell1 n-cond-cell2 n-cpu '
    'placement placement-api '
    'cyborg cyborg-api cyborg-cond cyborg-agent tempest'
)
_FILES = {
    'nova/nova.conf': (
        '[DEFAULT]\ndebug = True\n\n'
        '[service_user]\nsend_service_user_token = True\n'
        'auth_type = password\nusername = nova\n'
    ),
    'nova/nova-cpu.conf': '[DEFAULT]\ndebug = True\n',
    'nova/nova_cell1.conf': '[DEFAULT]\ndebug = True\n',
    'nova/nova_cell2.conf': '[DEFAULT]\ndebug = True\n',
    'placement/placement.conf': '[placement_database]\nconnection = x\n',
    'cyborg/cyborg.conf': '[agent]\nenabled_drivers = fake_driver\n',
    'cyborg/api-paste.ini': (
        '[app:api_v2]\npaste.app_factory = cyborg.api.app:app_factory\n\n'
        '[filter:request_id]\npaste.filter_factory = x:factory\n'
    ),
    'tempest.conf': '[service_available]\nnova = True\n',
}
# Cyborg's plugin: whatever the phase, its functions are there after it.
_CYBORG = {
    'settings': (
        'CYBORG_CONF_FILE=$ETC/cyborg/cyborg.conf\n'
        'CYBORG_API_PASTE_INI=$ETC/cyborg/api-paste.ini\n'
    ),
    'lib/cyborg': 'function configure_cyborg { told configure_cyborg; }\n',
    'plugin.sh': (
        'source "$DEST/cyborg/devstack/lib/cyborg"\n'
        'case "$1/$2" in\n'
        '    stack/post-config) configure_cyborg ;;\n'
        'esac\n'
    ),
}
# The functions and the variables of stack.sh.
STACKRC = """
source "$HERE/functions.sh"
NOVA_CONF=$ETC/nova/nova.conf
NOVA_CPU_CONF=$ETC/nova/nova-cpu.conf
NOVA_NUM_CELLS=2
PLACEMENT_CONF=$ETC/placement/placement.conf
TEMPEST_CONFIG=$ETC/tempest.conf
KEYSTONE_SERVICE_URI=http://controller/identity
SERVICE_PASSWORD=secret
SERVICE_PROJECT_NAME=service
SERVICE_DOMAIN_NAME=Default
SERVICE_TIMEOUT=${SERVICE_TIMEOUT:-60}
SSL_BUNDLE_FILE=/opt/stack/data/ca-bundle.pem
"""


class _Options(iniparser.BaseParser):
    """Reads a file as oslo.config does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, list[str]]] = {}
        self._section = ''

    def new_section(self, section: str) -> None:
        self._section = section

    def assignment(self, key: str, value: list[str]) -> None:
        options = self.found.setdefault(self._section, {})
        options.setdefault(key, []).append(' '.join(value))


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@dataclasses.dataclass
class Done:
    """What came of some phases.

    :ivar code: the shell's exit status.
    :ivar err: what it complained of.
    :ivar calls: what the stand-ins were asked, in their order.
    """

    code: int
    err: str
    calls: list[str]


class Stack:
    """The files of a host, and the plugins.

    :param folder: where to put them.
    :param services: the services that are enabled.
    :ivar plugins: the folders of the plugins, in the order of local.conf.
    """

    def __init__(self, folder: pathlib.Path, services: str = ALL) -> None:
        self.etc = folder / 'etc'
        self.bin = folder / 'bin'
        cyborg = folder / 'dest/cyborg'
        self.plugins = [cyborg, PLUGIN.parent]
        self._calls = folder / 'calls'
        self.environment = {
            'PATH': os.environ['PATH'],
            'HERE': str(_HERE),
            'DEST': str(cyborg.parent),
            'ETC': str(self.etc),
            'BIN': str(self.bin),
            'CALLS': str(self._calls),
            'SERVICES': services,
        }
        for name, text in _FILES.items():
            self.write(name, text)
        for name, text in _CYBORG.items():
            _write(cyborg / 'devstack' / name, text)
        self.write_command('nova-cyborg-manage')
        self.write_command('nova-cyborg-status')
        self.write_command('openstack')

    def write(self, name: str, text: str) -> None:
        _write(self.etc / name, text)

    def write_command(self, name: str, then: str = '') -> None:
        """Put a command in place that tells its arguments."""
        path = self.bin / name
        _write(path, f'#!/bin/sh\necho {name} "$@" >> "$CALLS"\n{then}\n')
        path.chmod(0o755)

    def run(self, *phases: str, then: str = '') -> Done:
        """Run phases in one shell, as devstack does."""
        self._calls.write_text('')
        lines = [
            'set -o errexit',
            STACKRC,
            'load_plugin_settings',
            *(f'run_phase {phase}' for phase in phases),
            then,
        ]
        done = subprocess.run(
            ['bash', '-c', '\n'.join(lines)],
            env={
                **self.environment,
                'PLUGINS': ' '.join(map(str, self.plugins)),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls = self._calls.read_text().splitlines()
        return Done(done.returncode, done.stderr + done.stdout, calls)

    def files(self) -> dict[str, str]:
        """Return what is in all files, by name."""
        return {
            str(path.relative_to(self.etc)): path.read_text()
            for path in self.etc.rglob('*')
            if path.is_file()
        }

    def options(self, name: str) -> dict[str, dict[str, list[str]]]:
        """Return the options of a file, by section."""
        parser = _Options()
        with (self.etc / name).open() as stream:
            parser.parse(stream)
        return parser.found
