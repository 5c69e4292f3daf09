# SPDX-License-Identifier: Apache-2.0

"""Makes the services' databases, with their own commands, as operators do."""

import collections.abc
import concurrent.futures
import os
import subprocess

from tools.cloud import exception
from tools.cloud.embedded import kind as embedded
from tools.cloud.machine import installation
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state
from tools.cloud.production import configs, topology
from tools.cloud.supervisor import processes

Command = tuple[str, ...]
# On two cores more would not be faster.
_AT_ONCE = 3
# What no command of theirs puts into the services' databases.
_SETUPS = {
    'keystone': 'tools.cloud.embedded.keystone.setup',
    'neutron': 'tools.cloud.embedded.neutron.setup',
    'cyborg': 'tools.cloud.production.databases.cyborg_tables',
}


def run(state: cloud_state.State) -> None:
    """Bring all databases up to date.

    :raises StepFailed: if a command fails.
    """
    work = {
        'nova': _nova(state),
        'keystone': [_own(state, 'keystone')],
        'neutron': _neutron(state),
        'glance': [_manage(state, 'glance', 'glance-manage', 'db_sync')],
        'placement': [
            _manage(state, 'placement', 'placement-manage', 'db', 'sync')
        ],
        'cyborg': _cyborg(state),
        **{cell: _cell(state, cell) for cell in topology.CELLS},
    }
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            pool.submit(_run, state, f'database-{name}', commands)
            for name, commands in work.items()
        ]
        try:
            for each in running:
                each.result()
        except exception.StepFailed:
            pool.shutdown(cancel_futures=True)
            raise
    _run(state, 'database-cells', _cells(state))


def run_cyborg(state: cloud_state.State) -> None:
    """Bring Cyborg's database up to date, and no other one.

    :raises StepFailed: if a command fails.
    """
    _run(state, 'database-cyborg', _cyborg(state))


def discover_hosts(state: cloud_state.State) -> None:
    """Let Nova know which cell each compute host is in.

    :raises StepFailed: if the command fails.
    """
    command = _manage(
        state, 'nova', 'nova-manage', 'cell_v2', 'discover_hosts'
    )
    _run(state, 'discover-hosts', [command])


def _nova(state: cloud_state.State) -> list[Command]:
    return [
        _manage(state, 'nova', 'nova-manage', 'api_db', 'sync'),
        # The database that nova.conf names above the cells is cell0's.
        _manage(state, 'nova', 'nova-manage', 'db', 'sync', '--local_cell'),
    ]


def _cell(state: cloud_state.State, cell: str) -> list[Command]:
    config = f'--config-file={configs.path(state, "nova", cell)}'
    manage = installation.script('nova-manage')
    return [(manage, config, 'db', 'sync', '--local_cell')]


def _cells(state: cloud_state.State) -> list[Command]:
    cell0 = addresses.database(state, topology.CELL0_DATABASE)
    manage = (state, 'nova', 'nova-manage', 'cell_v2')
    return [
        _manage(*manage, 'map_cell0', '--database_connection', cell0),
        *(
            _manage(
                *manage,
                'create_cell',
                '--name',
                cell,
                '--database_connection',
                addresses.database(state, topology.cell_database(cell)),
                '--transport-url',
                addresses.bus(state, cell),
            )
            for cell in topology.CELLS
        ),
    ]


def _neutron(state: cloud_state.State) -> list[Command]:
    manage = _manage(state, 'neutron', 'neutron-db-manage')
    own = _own(state, 'neutron')
    if state.settings.database == 'postgresql':
        return [own, (*manage, 'stamp', 'heads')]
    return [(*manage, 'upgrade', 'heads'), own]


def _cyborg(state: cloud_state.State) -> list[Command]:
    commands = [_manage(state, 'cyborg', 'cyborg-dbsync', 'upgrade')]
    if state.settings.database == 'postgresql':
        commands = [_own(state, 'cyborg')]
    if state.settings.plugin:
        manage = installation.MANAGE
        commands.append(_manage(state, 'cyborg', manage, 'db', 'upgrade'))
    return commands


def _manage(
    state: cloud_state.State, service: str, program: str, *arguments: str
) -> Command:
    config = f'--config-file={state.config(service)}'
    return (installation.script(program), config, *arguments)


def _own(state: cloud_state.State, service: str) -> Command:
    return embedded.own(state, _SETUPS[service])


def _run(
    state: cloud_state.State,
    name: str,
    commands: collections.abc.Iterable[Command],
) -> None:
    with state.log(name).open('w') as log:
        for command in commands:
            log.write(f'+ {" ".join(command)}\n')
            log.flush()
            code = subprocess.call(
                command,
                env={
                    **os.environ,
                    **installation.environment(),
                    **processes.mark(state.path),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            if code:
                raise exception.StepFailed(
                    f'"{command[0]}" ended with status {code}.', name
                )
