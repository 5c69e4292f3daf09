# SPDX-License-Identifier: Apache-2.0

"""The nova-compute of the only other host is stock."""

from tests.functional.nova.moves import failing  # isort: skip - first

from tests.functional.nova import stock

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION
_NO_HOST = 'No valid host'


class StockDestinationTest(failing.TestCase):
    """It would start the guest without its devices, or plug in none."""

    def add_hosts(self) -> None:
        """Start the compute nodes, with devices."""
        self._add_host(SOURCE)
        with stock.StockComputes():
            self._add_host(DESTINATION)

    def test_there_is_no_valid_host(self) -> None:
        for action, arguments in (
            ('migrate', None),
            ('migrate', {'host': DESTINATION}),
            ('resize', {'flavorRef': self.bigger}),
        ):
            self.do(action, 'ACTIVE', arguments)
            self.wait_for(lambda: _NO_HOST in self.said())
            self.assert_on(SOURCE)
        self.migrate_in_vain('error')
        self.assertIn(_NO_HOST, self.said())
        self.assert_on(SOURCE)
        self.assert_active()

    def test_it_gets_the_plugin(self) -> None:
        self.restart_compute_service(DESTINATION)
        self.assert_stays()
