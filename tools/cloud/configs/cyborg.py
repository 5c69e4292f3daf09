# SPDX-License-Identifier: Apache-2.0

"""cyborg.conf, and Cyborg's api-paste.ini."""

import configparser
import pathlib

from tools.cloud.configs import base
from tools.cloud.machine import installation
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state

APP_FACTORY = 'nova_cyborg.api.app:app_factory'


def options(state: cloud_state.State) -> base.Options:
    """Return Cyborg's options."""
    found: base.Options = {
        'DEFAULT': {
            'transport_url': addresses.bus(state),
            'host': 'controller',
            'state_path': str(state.folder('cyborg')),
        },
        'api': {'api_paste_config': str(_paste(state))},
        'database': base.database(state, 'cyborg'),
        'keystone_authtoken': base.token_check(state, 'cyborg'),
        'placement': base.credentials(state, 'cyborg'),
        'nova': base.credentials(state, 'cyborg'),
        'oslo_concurrency': {
            'lock_path': str(state.folder('cyborg', 'locks')),
        },
        'agent': {'enabled_drivers': _driver(state)},
        'oslo_messaging_notifications': {
            'driver': 'nova_cyborg' if state.settings.plugin else '',
        },
    }
    base.add(found, state.settings.cyborg_options)
    return found


def _driver(state: cloud_state.State) -> str:
    return 'file_driver' if state.settings.lists_devices else 'fake_driver'


def write_paste(state: cloud_state.State) -> None:
    """Write Cyborg's api-paste.ini: the stock one, with our application."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=('=',))
    parser.read(installation.packaged('cyborg', 'api-paste.ini'))
    if state.settings.plugin:
        parser['app:api_v2']['paste.app_factory'] = APP_FACTORY
    with _paste(state).open('w') as stream:
        parser.write(stream)


def _paste(state: cloud_state.State) -> pathlib.Path:
    return state.config('cyborg').with_name('api-paste.ini')
