# SPDX-License-Identifier: Apache-2.0

"""What runs where: the cells, their hosts, and what there is two of."""

from tools.cloud.model import state as cloud_state

CELLS = ('cell1', 'cell2')
# The database of each cell, and of what is above them.
CELL0_DATABASE = 'nova_cell0'
API_DATABASE = 'nova_api'
# Beside the services' own.
SUPER_CONDUCTORS = ('super1', 'super2')
SCHEDULERS = ('scheduler1', 'scheduler2')
# The host of what there is one of.
CONTROLLER = 'controller'
# Servers move between hosts of one cell only, so the first one has two.
_FIRST_CELL = 2


def cell_of(state: cloud_state.State, host: str) -> str:
    """Return the cell of a compute host.

    :returns: the cell's name.
    """
    return CELLS[state.settings.hosts.index(host) >= _FIRST_CELL]


def cyborg_conductors(state: cloud_state.State) -> list[str]:
    """Return the hosts of the cyborg-conductors, as cyborg.conf names them.

    :returns: the names; the first one is that of Cyborg's own file.
    """
    further = range(2, state.settings.conductors + 1)
    return [CONTROLLER, *(f'{CONTROLLER}{number}' for number in further)]


def databases() -> list[str]:
    """Return the names of all databases."""
    cells = [cell_database(cell) for cell in CELLS]
    services = ['keystone', 'placement', 'glance', 'neutron', 'cyborg']
    return [*services, API_DATABASE, CELL0_DATABASE, *cells]


def cell_database(cell: str) -> str:
    """Return the name of a cell's database.

    :param cell: the cell's name.
    """
    return f'nova_{cell}'
