# SPDX-License-Identifier: Apache-2.0

"""The plugin is taken from a host that a server may go back to."""

from tests.functional.nova.moves import moving  # isort: skip - first

from nova.tests.functional.api import client

from tests.functional.nova import stock

SOURCE, DESTINATION = moving.HOSTS


class StockSourceTest(moving.TestCase):
    """It would start the guest without its devices."""

    KINDS = moving.TestCase.KINDS[:1]

    def setUp(self) -> None:
        super().setUp()
        (self.moved,) = self.all
        self.migrate()
        with stock.StockComputes():
            self.restart_compute_service(SOURCE)

    def test_the_move_is_not_reverted(self) -> None:
        refused = self.assertRaises(
            client.OpenStackApiException, self.do, 'revertResize', 'ACTIVE'
        )
        self.assertEqual(409, refused.response.status_code)
        self.assertIn('no plugin for device contexts', refused.response.text)
        self.wait_for_all('VERIFY_RESIZE')
        self.restart_compute_service(SOURCE)
        self.revert()
