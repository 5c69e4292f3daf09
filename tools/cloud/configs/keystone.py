# SPDX-License-Identifier: Apache-2.0

"""keystone.conf."""

from tools.cloud.configs import base
from tools.cloud.model import state as cloud_state


def options(state: cloud_state.State) -> base.Options:
    """Return Keystone's options."""
    return {
        'DEFAULT': {'public_endpoint': state.url('keystone')[: -len('/v3')]},
        'database': base.database(state, 'keystone'),
        'fernet_tokens': {
            'key_repository': str(state.folder('keystone', 'fernet')),
        },
        'credential': {
            'key_repository': str(state.folder('keystone', 'credential')),
        },
        'fernet_receipts': {
            'key_repository': str(state.folder('keystone', 'receipts')),
        },
        # Passwords here are random and short-lived: slow hashes would only
        # make every login slow.
        'identity': {'password_hash_rounds': '4'},
    }
