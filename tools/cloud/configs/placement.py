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
        # What nova.conf's [nova_cyborg] placement_prunes relies on.
        'placement': {
            'max_allocation_candidates': '1000',
            'allocation_candidates_generation_strategy': 'breadth-first',
        },
        'workarounds': {'optimize_for_wide_provider_trees': 'true'},
    }
