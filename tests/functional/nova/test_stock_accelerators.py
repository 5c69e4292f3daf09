# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
