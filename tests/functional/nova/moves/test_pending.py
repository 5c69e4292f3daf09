# SPDX-License-Identifier: Apache-2.0

"""What a nova-compute waits for that is stopped gracefully."""

from tests.functional.nova.moves import test_messages  # isort: skip - first

import typing as ty


class PendingTest(test_messages.TestCase):
    """The message that a server is to come is delivered twice."""

    def test_nothing_when_it_is_there(self) -> None:
        for together in (True, False):
            done = self.deliver_twice('prep_resize', together)
            self.do('migrate', 'VERIFY_RESIZE')
            self.assert_delivered(done)
            # Nova ends that when the server has its last status already.
            self.wait_for(lambda: not self._pending())
            self.do('revertResize', 'ACTIVE')

    def _pending(self) -> list[ty.Any]:
        """Return what is waited for; before 2026.2, Nova does not count."""
        return [
            task
            for compute in self.computes.values()
            for task in getattr(
                compute.manager, '_in_progress_tasks', {}
            ).values()
            if task['instance_uuid'] == self.server['id']
            and task['name'] == 'prep_resize_at_dest'
        ]
