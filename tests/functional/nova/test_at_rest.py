# SPDX-License-Identifier: Apache-2.0

"""A nova-compute whose servers are at rest does not call Cyborg."""

from tests.functional.nova import test_operations  # isort: skip - first

import fixtures
from nova import context as nova_context
from oslo_service import periodic_task
from oslo_utils import fixture as utils_fixture
from oslo_utils import timeutils

#: Seconds: ten minutes, and the longest time between two runs of a task.
PASSED = 600 + 600
#: Those between two looks of a nova-compute at what is due.
STEP = 10


class AtRestTest(test_operations.TestCase):
    """All periodic tasks run as they do in twenty minutes."""

    def setUp(self) -> None:
        super().setUp()
        self.manager = self.computes['compute1'].manager
        self.now = periodic_task.now()
        self.useFixture(
            fixtures.MockPatchObject(periodic_task, 'now', lambda: self.now)
        )

    def _pass(self) -> None:
        """Let time pass, and see that each task had its turn."""
        begun = self.now
        clock = utils_fixture.TimeFixture(timeutils.utcnow())
        with clock:
            while self.now < begun + PASSED:
                self.now += STEP
                clock.advance_time_seconds(STEP)
                self.manager.periodic_tasks(
                    nova_context.get_admin_context(), raise_on_error=True
                )
                self.wait_for(lambda: not self.manager._syncs_in_progress)
        late = {
            name
            for name, spacing in self.manager._periodic_spacing.items()
            if spacing <= PASSED / 2
            and (self.manager._periodic_last_run[name] or 0) <= begun
        }
        self.assertEqual(set(), late)

    def _rest(self, status: str) -> None:
        before = self.nova_calls()
        self._pass()
        self.assertEqual(before, self.nova_calls())
        self.assertFalse(self.is_telling())
        self.wait_for_all(status)

    def test_no_call(self) -> None:
        self._rest('ACTIVE')
        self.do('os-stop', 'SHUTOFF')
        self._rest('SHUTOFF')
        # What is begun with a server is seen, as it would have been.
        before = self.nova_calls()
        self.do('os-start')
        self.assertNotEqual(before, self.nova_calls())
