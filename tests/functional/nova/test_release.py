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

"""Device contexts are given back when their server goes."""

from tests.functional.nova import base  # isort: skip - first


class ReleaseTest(base.TestCase):
    """One compute node."""

    def test_delete_frees_all(self) -> None:
        self.add_device()
        context = self.create_context()
        server = self.boot(context)
        self.delete(server)
        self.assertIsNone(self.status(context))
        self.assert_nothing_held()

    def test_kept_context_serves_a_second_server(self) -> None:
        device = self.add_device(slots=1)
        context = self.create_context(delete_on_termination=False)
        self.delete(self.boot(context))
        self.assert_available(context)
        server = self.boot(context)
        self.assert_hostdevs(server, device.slots)

    def test_delete_a_server_in_error(self) -> None:
        context = self.create_context()
        server = self.post_server(context)
        self.fault_of(server)
        self.assert_available(context)
        self.delete(server)
        self.assert_available(context)
