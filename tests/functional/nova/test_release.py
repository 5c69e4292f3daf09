# SPDX-License-Identifier: Apache-2.0

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
