# SPDX-License-Identifier: Apache-2.0

"""nova.conf."""

from tools.cloud.configs import base
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state


def options(state: cloud_state.State) -> base.Options:
    """Return Nova's options."""
    found: base.Options = {
        'DEFAULT': _default(state),
        'database': base.database(state, 'nova_cell1'),
        'api_database': base.database(state, 'nova_api'),
        'keystone_authtoken': base.token_check(state, 'nova'),
        'oslo_concurrency': {'lock_path': str(state.folder('nova', 'locks'))},
        'libvirt': {
            'virt_type': 'kvm',
            'cpu_mode': 'none',
            # What the fake hypervisors' disks are.
            'images_type': 'raw',
            # For what is attached to guests of the machine type q35.
            'num_pcie_ports': '16',
        },
        # A guest that runs is copied by qemu-img and QEMU, which there is
        # not; one that is stopped for the snapshot, by the disk's own class.
        'workarounds': {'disable_libvirt_livesnapshot': 'true'},
        'vnc': {'enabled': 'false'},
        'quota': {'instances': '-1', 'cores': '-1', 'ram': '-1'},
        'oslo_messaging_notifications': {
            'driver': 'nova_cyborg' if state.settings.plugin else '',
        },
        # Of no meaning to a Nova without the plugin.
        'nova_cyborg': {'placement_prunes': 'true'},
        **_partners(state),
    }
    base.add(found, state.settings.nova_options)
    return found


def _default(state: cloud_state.State) -> dict[str, str]:
    return {
        'transport_url': addresses.bus(state),
        'host': 'controller',
        'my_ip': '127.0.0.1',
        'compute_driver': 'libvirt.LibvirtDriver',
        'state_path': str(state.folder('nova')),
        'instances_path': str(state.folder('nova', 'instances')),
        # No agent on the fake hosts says that a port is plugged.
        'vif_plugging_is_fatal': 'false',
        'vif_plugging_timeout': '0',
        'use_cow_images': 'false',
        'shelved_offload_time': '0',
        # The fake hosts run nothing, so many servers fit on each.
        'initial_cpu_allocation_ratio': '64.0',
        'initial_ram_allocation_ratio': '64.0',
        'initial_disk_allocation_ratio': '64.0',
    }


def _partners(state: cloud_state.State) -> base.Options:
    partners = ('placement', 'neutron', 'glance', 'cyborg')
    sections = {name: base.credentials(state, 'nova') for name in partners}
    sections['service_user'] = {
        **base.credentials(state, 'nova'),
        'send_service_user_token': 'true',
    }
    return sections
