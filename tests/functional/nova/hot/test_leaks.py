# SPDX-License-Identifier: Apache-2.0

"""A server moves away while a device context is attached or detached.

Placement has allocated what it had on its host to the migration then, and
gives that back if it stays after all.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

from tests.functional.nova.hot import two_hosts

_PLACEMENT = 'nova_cyborg.nova.placement'


class LeakTest(racing.TestCase, two_hosts.TestCase):
    """What is left of it in Placement is forgotten."""

    def test_moved_before_it_is_forgotten(self) -> None:
        """It is detached in Cyborg, and in Placement the migration has it."""
        for name in ('lower', 'allocated'):
            pause = self.detach_until(f'{_PLACEMENT}.{name}')
            self.begin('migrate')
            self.reach('VERIFY_RESIZE')
            pause.go_on()
            self.outcomes(racing.DETACH)
            self.do('revertResize')
            self.assert_settled(racing.DETACH)
