# SPDX-License-Identifier: Apache-2.0

"""What tempest loads: the entry point of ``tempest.test_plugins``."""

import pathlib
import typing as ty

from oslo_config import cfg
from tempest import config
from tempest.test_discover import plugins

from nova_cyborg.tempest import config as plugin_config

_PACKAGE = pathlib.Path(__file__).resolve().parent
_CLIENTS = [
    'AcceleratorRequestsClient',
    'DeviceAllocationsClient',
    'DeviceContextsClient',
    'DeviceProfilesClient',
]
_SERVER_CLIENTS = ['ServerDeviceContextsClient']


class NovaCyborgPlugin(plugins.TempestPlugin):
    """Tests of device contexts, their options and their clients."""

    def load_tests(self) -> tuple[str, str]:
        """Return the folder of the tests, and the one imports begin at."""
        return str(_PACKAGE / 'tests'), str(_PACKAGE.parents[1])

    def register_opts(self, conf: cfg.ConfigOpts) -> None:
        """Register the options.

        :param conf: where to register them.
        """
        for group, options in plugin_config.list_opts():
            config.register_opt_group(conf, group, options)

    def get_opt_lists(self) -> list[tuple[str, list[cfg.Opt]]]:
        """Return the options for the sample of tempest.conf."""
        return [
            (group.name, options)
            for group, options in plugin_config.list_opts()
        ]

    def get_service_clients(self) -> list[dict[str, ty.Any]]:
        """Return what makes two more of tempest's clients.

        ``device_context`` is for Cyborg, ``server_device_context`` for Nova.
        """
        return [
            {
                'name': 'device_context',
                'service_version': 'device_context.v2',
                'module_path': 'nova_cyborg.tempest.services',
                'client_names': _CLIENTS,
                **config.service_client_config(plugin_config.GROUP.name),
            },
            {
                'name': 'server_device_context',
                'service_version': 'server_device_context.v2',
                'module_path': 'nova_cyborg.tempest.services',
                'client_names': _SERVER_CLIENTS,
                **config.service_client_config('compute'),
            },
        ]
