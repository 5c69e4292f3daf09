# SPDX-License-Identifier: Apache-2.0

"""The services' configuration files, where they are not the embedded ones.

Nova has one for what is above the cells, one for each cell's conductor and
one for each compute host, as operators would write them for as many machines.
"""

import pathlib

from tools.cloud.configs import base, cyborg, files, nova
from tools.cloud.fakes import domains
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state
from tools.cloud.production import topology
from tools.cloud.production.hosts.real import compute as real_compute
from tools.cloud.production.hosts.real import isolation
from tools.cloud.production.servers import memcached


def write(state: cloud_state.State) -> None:
    """Write the configuration files of all services."""
    files.write(state, lambda options: _cached(state, options))
    _write_nova(state)
    for host in state.settings.hosts:
        base.write(path(state, 'cyborg', host), _agent(state, host))
    for host in topology.cyborg_conductors(state):
        base.write(path(state, 'cyborg', host), {'DEFAULT': {'host': host}})


def path(state: cloud_state.State, service: str, name: str) -> pathlib.Path:
    """Return a configuration file beside the service's own.

    :param service: the service.
    :param name: the cell, host or server that it is for.
    :returns: the file's path.
    """
    return state.folder('etc', service) / f'{name}.conf'


def _cached(state: cloud_state.State, options: base.Options) -> base.Options:
    """Let a service keep tokens, and what else it likes, in memcached."""
    where = memcached.address(state)
    if 'keystone_authtoken' in options:
        options['keystone_authtoken']['memcached_servers'] = where
    else:
        options['cache'] = {
            'enabled': 'true',
            'backend': 'dogpile.cache.pymemcache',
            'memcache_servers': where,
        }
    return options


def _write_nova(state: cloud_state.State) -> None:
    base.write(state.config('nova'), _top(state))
    for name in (*topology.SUPER_CONDUCTORS, *topology.SCHEDULERS):
        base.write(path(state, 'nova', name), {'DEFAULT': {'host': name}})
    for cell in topology.CELLS:
        base.write(path(state, 'nova', cell), _cell(state, cell))
    for host in state.settings.hosts:
        options, file = _compute(state, host), path(state, 'nova', host)
        if host in state.settings.real_hosts:
            options = real_compute.change(state, host, file, options)
        base.write(file, options)


def _top(state: cloud_state.State) -> base.Options:
    options = _cached(state, nova.options(state))
    options['database'] = base.database(state, topology.CELL0_DATABASE)
    # There are two of each; more workers would only need more memory.
    options['conductor'] = {'workers': '1'}
    options['scheduler'] = {'workers': '1', **isolation.OPTIONS}
    return options


def _cell(state: cloud_state.State, cell: str) -> base.Options:
    options = _top(state)
    options['DEFAULT']['transport_url'] = addresses.bus(state, cell)
    options['DEFAULT']['host'] = f'conductor-{cell}'
    options['database'] = base.database(state, topology.cell_database(cell))
    # A cell does without what is above it.
    del options['api_database']
    return options


def _compute(state: cloud_state.State, host: str) -> base.Options:
    options = _cell(state, topology.cell_of(state, host))
    options['DEFAULT'].update(
        host=host,
        state_path=str(state.folder('nova', host)),
    )
    options['libvirt']['connection_uri'] = domains.uri(host)
    # A live migration would have the cell's conductor look above the cell.
    options['workarounds']['disable_group_policy_check_upcall'] = 'true'
    del options['database']
    return options


def _agent(state: cloud_state.State, host: str) -> base.Options:
    return {
        'DEFAULT': {'host': host},
        'agent': {
            **cyborg.options(state)['agent'],
            'resource_provider_name': host,
        },
        'nova_cyborg': {'devices_file': str(state.devices(host))},
    }
