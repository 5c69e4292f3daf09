# SPDX-License-Identifier: Apache-2.0

"""nova-compute of a host with a real hypervisor: the stock command."""

import pathlib

import yaml

from tools.cloud.configs import base
from tools.cloud.machine import installation, libvirt_module
from tools.cloud.model import state as cloud_state
from tools.cloud.production.hosts.real import hypervisor, isolation

# What does things as root on behalf of nova-compute.
_PRIVILEGED = ('nova_sys_admin', 'privsep_osbrick')


def write_files(state: cloud_state.State) -> None:
    """Write what nova-compute adds to its host's record in Placement."""
    libvirt_module.link(_module(state))
    for host in state.settings.real_hosts:
        own = {
            'identification': {'name': host},
            'traits': {'additional': [isolation.TRAIT]},
        }
        content = {'meta': {'schema_version': '1.0'}, 'providers': [own]}
        path = _providers(state, host) / 'provider.yaml'
        path.write_text(yaml.safe_dump(content))


def change(
    state: cloud_state.State,
    host: str,
    config: pathlib.Path,
    options: base.Options,
) -> base.Options:
    """Make the options of a fake host's nova-compute those of a real one's.

    :param config: the file that they are for.
    :param options: what they are based on.
    :returns: the options.
    """
    default = {
        name: value
        for name, value in options['DEFAULT'].items()
        # What runs here takes what it says it takes.
        if not name.endswith('_allocation_ratio')
    }
    default.update(
        # Disks of the fake hosts are not what they seem.
        instances_path=str(state.folder('nova', 'guests')),
        use_cow_images='true',
        force_config_drive='true',
    )
    helper = f'{installation.script("privsep-helper")} --config-file={config}'
    return {
        **options,
        'DEFAULT': default,
        'compute': {
            'provider_config_location': str(_providers(state, host)),
        },
        'libvirt': {
            'virt_type': 'qemu',
            'connection_uri': hypervisor.uri(host),
        },
        # A console of this kind has a log that nobody else writes to.
        'serial_console': {'enabled': 'true'},
        # Guests that run are copied while they do, as is the default.
        'workarounds': {},
        **{section: {'helper_command': helper} for section in _PRIVILEGED},
    }


def environment(state: cloud_state.State) -> dict[str, str]:
    """Return the variables that nova-compute needs beside its options."""
    return libvirt_module.environment(_module(state))


def _module(state: cloud_state.State) -> pathlib.Path:
    return state.folder('hypervisors', 'python')


def _providers(state: cloud_state.State, host: str) -> pathlib.Path:
    return state.folder('etc', 'nova', f'{host}-providers')
