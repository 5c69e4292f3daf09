# SPDX-License-Identifier: Apache-2.0

"""What the services' configuration files have in common."""

import configparser
import contextlib
import pathlib
import sqlite3

from tools.cloud.model import addresses, settings
from tools.cloud.model import state as cloud_state

# Section -> option -> value, as oslo.config reads them.
Options = dict[str, dict[str, str]]


def write(path: pathlib.Path, options: Options) -> None:
    """Write an INI file.

    :param path: the file.
    :param options: its sections and their options.
    """
    parser = configparser.ConfigParser(
        interpolation=None, default_section='no such section'
    )
    parser.read_dict(options)
    with path.open('w') as stream:
        parser.write(stream)


def add(options: Options, further: Options) -> None:
    """Add options to others, or put them in the place of others.

    :param options: the options that there are.
    :param further: the ones to add.
    """
    for section, body in further.items():
        options.setdefault(section, {}).update(body)


def database(state: cloud_state.State, name: str) -> dict[str, str]:
    """Return the options of a database; SQLite's file is made if need be.

    :param name: the database's name.
    """
    options = {'connection': addresses.database(state, name)}
    if state.settings.database != addresses.SQLITE:
        return options
    path = state.folder('db') / f'{name}.sqlite'
    with contextlib.closing(sqlite3.connect(path)) as connection:
        # The file remembers this; readers and a writer then do not meet.
        connection.execute('PRAGMA journal_mode=WAL')
    return {**options, 'sqlite_synchronous': 'false'}


def credentials(state: cloud_state.State, service: str) -> dict[str, str]:
    """Return the options with which a service calls other services.

    :param service: the calling service.
    """
    return {
        'auth_type': 'password',
        'auth_url': state.url('keystone'),
        'username': service,
        'password': state.settings.passwords[service],
        'user_domain_name': 'Default',
        'project_name': 'service',
        'project_domain_name': 'Default',
        'region_name': settings.REGION,
    }


def token_check(state: cloud_state.State, service: str) -> dict[str, str]:
    """Return the options of keystonemiddleware's token check.

    :param service: the checking service.
    """
    return {
        **credentials(state, service),
        'www_authenticate_uri': state.url('keystone'),
        'service_token_roles': 'service',
        'service_token_roles_required': 'true',
    }
