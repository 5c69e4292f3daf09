# SPDX-License-Identifier: Apache-2.0

"""Where a cloud's databases and message bus are."""

from tools.cloud.machine import ports
from tools.cloud.model import state as cloud_state

SQLITE = 'sqlite'
# The user of the database server and of the broker.
USER = 'cloud'
_DRIVERS = {
    'mariadb': ('mysql+pymysql', '?charset=utf8mb4'),
    'postgresql': ('postgresql+psycopg2', ''),
}


def database(state: cloud_state.State, name: str) -> str:
    """Return the address of a database.

    :param name: the database's name.
    :returns: its URL, as SQLAlchemy reads it.
    """
    if state.settings.database == SQLITE:
        path = state.folder('db') / f'{name}.sqlite'
        # Writers of one SQLite file wait for each other; a minute is more
        # than any of them takes.
        return f'sqlite:///{path}?timeout=60'
    driver, options = _DRIVERS[state.settings.database]
    return f'{driver}://{_server(state, "database")}/{name}{options}'


def bus(state: cloud_state.State, cell: str = '') -> str:
    """Return the address of a message bus.

    :param cell: whose bus; by default that of what is above the cells.
    :returns: its URL, as oslo.messaging reads it.
    """
    if 'rabbitmq' not in state.settings.ports:
        return 'fake://'
    return f'rabbit://{_server(state, "rabbitmq")}/{cell}'


def _server(state: cloud_state.State, name: str) -> str:
    password = state.settings.passwords[name]
    port = state.settings.ports[name]
    return f'{USER}:{password}@{ports.HOST}:{port}'
