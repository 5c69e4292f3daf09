# SPDX-License-Identifier: Apache-2.0

"""Nova's own accelerator tests, unchanged, with the plugin active.

They show that servers whose accelerators come from the flavor's device
profile are treated as without the plugin.
"""

from tests.functional.nova import activate  # noqa: F401, I001 - first

from nova.tests.functional import test_servers


class AcceleratorServerTest(test_servers.AcceleratorServerTest):
    """Boot and delete."""


class AcceleratorServerReschedTest(test_servers.AcceleratorServerReschedTest):
    """Build on an alternate host."""


class AcceleratorServerOpsTest(test_servers.AcceleratorServerOpsTest):
    """Actions on servers."""
