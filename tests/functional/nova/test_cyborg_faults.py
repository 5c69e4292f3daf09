# SPDX-License-Identifier: Apache-2.0

"""When Cyborg cannot be used: the fault says why, and nothing is left.

What nova-api refuses then is in test_early_refusal.
"""

from tests.functional.nova import base  # isort: skip - first

import typing as ty


class CyborgFaultsTest(base.TestCase):
    """One compute node, and a faulty network between Nova and Cyborg."""

    API_PLUGIN = False

    def setUp(self) -> None:
        super().setUp()
        self.add_device()
        self.context = self.create_context()

    def _fault(self, method: str, action: str, **fields: ty.Any) -> None:
        path = r'/device_allocations/[^/]+(/bind)?$'
        self.cyborg.control(
            'fault', method=method, path=path, action=action, **fields
        )

    def _assert_fault(self, *sentences: str) -> None:
        """Check that a boot fails for a reason, and leaves nothing."""
        fault = self.boot_fails(self.context)
        for sentence in sentences:
            self.assertIn(sentence, fault)
        self.cyborg.control('start')
        self.cyborg.control('clear_faults')
        self.cyborg.control('serve', stock=False)
        self.assert_available(self.context)

    def test_stock_cyborg(self) -> None:
        self.cyborg.control('serve', stock=True)
        self._assert_fault('does not serve device contexts', 'Operators: ')

    def test_down(self) -> None:
        self.cyborg.control('stop')
        self._assert_fault('did not answer', 'the connection failed')

    def test_reserve_fails(self) -> None:
        self._fault('PUT', 'answer', value=500)
        self._assert_fault('failed with HTTP status 500')

    def test_reserve_is_unavailable(self) -> None:
        self._fault('PUT', 'answer', value=503)
        self._assert_fault('did not answer', 'HTTP status 503')

    def test_reserve_times_out(self) -> None:
        self.flags(timeout=1, group='cyborg')
        self._fault('PUT', 'late', value=3)
        self._assert_fault('did not answer', 'timed out')

    def test_reserve_is_dropped(self) -> None:
        self._fault('PUT', 'drop')
        self._assert_fault('did not answer')

    def test_answer_to_reserve_is_lost(self) -> None:
        self._fault('PUT', 'lose')
        self._assert_fault('did not answer')

    def test_bind_fails(self) -> None:
        self._fault('POST', 'answer', value=500)
        self._assert_fault('failed with HTTP status 500')

    def test_bind_is_dropped(self) -> None:
        self._fault('POST', 'drop')
        self._assert_fault('did not answer')

    def test_answer_to_bind_is_lost(self) -> None:
        self._fault('POST', 'lose')
        self._assert_fault('did not answer')

    def test_service_token_is_not_sent(self) -> None:
        self.flags(send_service_user_token=False, group='service_user')
        self._assert_fault('send_service_user_token')
