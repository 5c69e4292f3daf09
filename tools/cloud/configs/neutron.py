# SPDX-License-Identifier: Apache-2.0

"""neutron.conf."""

from tools.cloud.configs import base
from tools.cloud.machine import installation
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state

# Almost 25 days, the most that Neutron takes.
_DOWN_TIME = 2147483


def options(state: cloud_state.State) -> base.Options:
    """Return Neutron's options."""
    return {
        'DEFAULT': {
            'transport_url': addresses.bus(state),
            'core_plugin': 'ml2',
            'service_plugins': '',
            'api_paste_config': str(
                installation.packaged('neutron', 'api-paste.ini')
            ),
            'state_path': str(state.folder('neutron')),
            # No agent runs on the fake hosts; what the services' process
            # writes down about them once stays good long.
            'agent_down_time': str(_DOWN_TIME),
            'notify_nova_on_port_status_changes': 'false',
            'notify_nova_on_port_data_changes': 'false',
        },
        'database': base.database(state, 'neutron'),
        'keystone_authtoken': base.token_check(state, 'neutron'),
        'nova': base.credentials(state, 'neutron'),
        'placement': base.credentials(state, 'neutron'),
        'oslo_concurrency': {
            'lock_path': str(state.folder('neutron', 'locks')),
        },
        'quotas': {'quota_port': '-1', 'quota_network': '-1'},
        'ml2': {
            'type_drivers': 'local',
            'tenant_network_types': 'local',
            'mechanism_drivers': 'openvswitch',
        },
    }
