# SPDX-License-Identifier: Apache-2.0

"""glance-api.conf."""

from tools.cloud.configs import base
from tools.cloud.machine import installation
from tools.cloud.model import state as cloud_state


def options(state: cloud_state.State) -> base.Options:
    """Return Glance's options."""
    paste = installation.packaged('glance', 'glance-api-paste.ini')
    return {
        'DEFAULT': {
            'enabled_backends': 'files:file',
            'worker_self_reference_url': state.url('glance'),
        },
        'database': base.database(state, 'glance'),
        'keystone_authtoken': base.token_check(state, 'glance'),
        'paste_deploy': {'flavor': 'keystone', 'config_file': str(paste)},
        'glance_store': {'default_backend': 'files'},
        'files': _folder(state, 'images'),
        'os_glance_staging_store': _folder(state, 'images-staging'),
        'os_glance_tasks_store': _folder(state, 'images-tasks'),
    }


def _folder(state: cloud_state.State, name: str) -> dict[str, str]:
    return {'filesystem_store_datadir': str(state.folder(name))}
