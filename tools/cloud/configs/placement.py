# SPDX-License-Identifier: Apache-2.0

"""placement.conf."""

from tools.cloud.configs import base
from tools.cloud.model import state as cloud_state


def options(state: cloud_state.State) -> base.Options:
    """Return Placement's options."""
    return {
        'placement_database': {
            **base.database(state, 'placement'),
            'sync_on_startup': 'true',
        },
        'keystone_authtoken': base.token_check(state, 'placement'),
    }
