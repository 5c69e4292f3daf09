# SPDX-License-Identifier: Apache-2.0

"""The programs of the OpenStack services."""

import pathlib

from tools.cloud.embedded import kind as embedded
from tools.cloud.machine import installation
from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state
from tools.cloud.production import configs, topology
from tools.cloud.production.apis import uwsgi
from tools.cloud.production.hosts.real import compute
from tools.cloud.production.servers import rabbitmq


def all_programs(state: cloud_state.State) -> list[programs.Program]:
    """Return the services' programs.

    :returns: the programs, in the order in which they start.
    """
    hosts = state.settings.hosts
    return [
        uwsgi.program(state, 'keystone'),
        uwsgi.program(state, 'placement'),
        uwsgi.program(state, 'glance'),
        uwsgi.program(state, 'neutron'),
        uwsgi.program(state, 'nova'),
        *(
            _above_cells(state, 'conductor', f'nova-conductor-{name}', name)
            for name in topology.SUPER_CONDUCTORS
        ),
        *(
            _above_cells(state, 'scheduler', f'nova-{name}', name)
            for name in topology.SCHEDULERS
        ),
        *(_cell_conductor(state, cell) for cell in topology.CELLS),
        *(_compute(state, host) for host in hosts),
        uwsgi.program(state, 'cyborg'),
        *(
            _cyborg_conductor(state, host)
            for host in topology.cyborg_conductors(state)
        ),
        *(_agent(state, host) for host in hosts),
    ]


def _above_cells(
    state: cloud_state.State, service: str, program: str, host: str
) -> programs.Program:
    return _nova(
        state,
        program,
        f'{service}.{host}',
        (
            installation.script(f'nova-{service}'),
            *_files(state.config('nova'), configs.path(state, 'nova', host)),
        ),
    )


def _cell_conductor(state: cloud_state.State, cell: str) -> programs.Program:
    return _nova(
        state,
        f'nova-conductor-{cell}',
        f'conductor.conductor-{cell}',
        (
            installation.script('nova-conductor'),
            *_files(configs.path(state, 'nova', cell)),
        ),
        cell,
    )


def _compute(state: cloud_state.State, host: str) -> programs.Program:
    if host in state.settings.real_hosts:
        config = _files(configs.path(state, 'nova', host))
        command = (installation.script('nova-compute'), *config)
        environment = compute.environment(state)
    else:
        command = embedded.own(
            state, 'tools.cloud.production.hosts.fake_compute', '--host', host
        )
        # Nova's fixtures, of which the hypervisor is one, import eventlet.
        environment = {'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'}
    return _nova(
        state,
        f'nova-compute-{host}',
        f'compute.{host}',
        command,
        topology.cell_of(state, host),
        environment,
    )


def _nova(
    state: cloud_state.State,
    name: str,
    queue: str,
    command: tuple[str, ...],
    cell: str = '',
    environment: dict[str, str] | None = None,
) -> programs.Program:
    return programs.Program(
        name=name,
        service='nova',
        command=command,
        environment=environment or {},
        is_ready=lambda: rabbitmq.has_consumer(state, cell, queue),
        autostart=False,
    )


def _cyborg_conductor(state: cloud_state.State, host: str) -> programs.Program:
    queue = f'cyborg-conductor.{host}'
    # Where there is one, as in most clouds, it has no other's name.
    number = host.removeprefix(topology.CONTROLLER)
    return programs.Program(
        name=f'cyborg-conductor{number}',
        service='cyborg',
        command=(
            installation.script('cyborg-conductor'),
            *_files(
                state.config('cyborg'), configs.path(state, 'cyborg', host)
            ),
        ),
        is_ready=lambda: rabbitmq.has_consumer(state, '', queue),
        autostart=False,
    )


def _agent(state: cloud_state.State, host: str) -> programs.Program:
    queue = f'cyborg-agent.{host}'
    command = embedded.own(
        state, 'tools.cloud.production.hosts.fake_agent', '--host', host
    )
    if host in state.settings.real_hosts:
        paths = (state.config('cyborg'), configs.path(state, 'cyborg', host))
        command = (installation.script('cyborg-agent'), *_files(*paths))
    return programs.Program(
        name=f'cyborg-agent-{host}',
        service='cyborg',
        command=command,
        is_ready=lambda: rabbitmq.has_consumer(state, '', queue),
        autostart=False,
    )


def _files(*paths: pathlib.Path) -> tuple[str, ...]:
    return tuple(f'--config-file={path}' for path in paths)
