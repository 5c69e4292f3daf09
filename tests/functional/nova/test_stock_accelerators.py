# SPDX-License-Identifier: Apache-2.0

"""Nova's own accelerator tests, unchanged, with the plugin active.

They show that servers whose accelerators come from the flavor's device
profile are treated as without the plugin.
"""

from nova_cyborg.fixture import nova as nova_fixture  # isort: skip - first

from nova.tests.functional import test_servers


class _WithPlugin:
    def setUp(self) -> None:
        self.useFixture(nova_fixture.PluginFixture())
        super().setUp()
        # The services report once.
        self.flags(service_down_time=3600)


class AcceleratorServerTest(_WithPlugin, test_servers.AcceleratorServerTest):
    """Boot and delete."""


class AcceleratorServerReschedTest(
    _WithPlugin, test_servers.AcceleratorServerReschedTest
):
    """Build on an alternate host."""


class AcceleratorServerOpsTest(
    _WithPlugin, test_servers.AcceleratorServerOpsTest
):
    """Actions on servers."""
