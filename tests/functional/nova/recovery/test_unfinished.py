# SPDX-License-Identifier: Apache-2.0

"""What Cyborg was not told in time, nova-compute tells it later."""

from tests.functional.nova import faulty  # isort: skip - first


class UnfinishedTest(faulty.TestCase):
    """Cyborg is away while a server is done with, and comes back."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(release_retry_interval=0.1, group='nova_cyborg')

    def assert_told(self) -> None:
        """Check that all is told once Cyborg is back, and no more."""
        self.wait_for(self.is_telling)
        self.cyborg.control('start')
        self.wait_for(lambda: not self.is_telling())
        self.assert_in_step()

    def _fail(self, method: str, path: str, times: int) -> None:
        """Have Cyborg fail to do something some times."""
        self.cyborg.control(
            'fault',
            method=method,
            path=path,
            action='answer',
            value=503,
            times=times,
        )

    def test_a_server_is_deleted(self) -> None:
        server = self.boot(self.context)
        self.cyborg.control('stop')
        self.delete(server)
        self.assert_told()
        self.assertEqual('available', self.status(self.context))
        self.assert_boots()

    def test_one_that_goes_with_its_contexts(self) -> None:
        context = self.create_context()
        server = self.boot(context)
        self.cyborg.control('stop')
        self.delete(server)
        self.assert_told()
        self.assertIsNone(self.status(context))

    def test_a_server_is_offloaded(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        # nova-api asks Cyborg as well, before it asks nova-compute.
        self._fail('POST', '/unbind$', times=3)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        self.assert_in_step()
        self.assertEqual('reserved', self.status(self.context))
        self.assert_deletes(server)

    def test_cyborg_fails_some_times(self) -> None:
        server = self.boot(self.context)
        self._fail('DELETE', '/device_allocations/', times=3)
        self.delete(server)
        self.wait_for(lambda: not self.used_slots())
        self.wait_for(lambda: not self.is_telling())
        self.assert_boots()
