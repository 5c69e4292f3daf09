# SPDX-License-Identifier: Apache-2.0

"""Keystone's keys, database and first content."""

import pathlib

import keystone.conf
from keystone.common import fernet_utils
from keystone.common.sql import upgrades
from keystone.server import configure

from tools.cloud.embedded.keystone import accounts
from tools.cloud.model import state as cloud_state

CONF = keystone.conf.CONF
# Where each key repository's options are.
_KEYS = ('fernet_tokens', 'fernet_receipts', 'credential')


def run(state: cloud_state.State) -> None:
    """Make what is not there yet."""
    configure(config_files=[str(state.config('keystone'))])
    _make_keys()
    upgrades.offline_sync_database_to_version()
    if not _marker(state).exists():
        accounts.create(state)
        _marker(state).touch()


def _make_keys() -> None:
    for group in _KEYS:
        repository = pathlib.Path(CONF[group].key_repository)
        # Otherwise Keystone complains with each token.
        repository.chmod(0o700)
        if not any(repository.iterdir()):
            fernet_utils.FernetUtils(
                str(repository), 3, group
            ).initialize_key_repository()


def _marker(state: cloud_state.State) -> pathlib.Path:
    return state.folder('keystone') / 'accounts-made'
