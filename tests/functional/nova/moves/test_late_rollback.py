# SPDX-License-Identifier: Apache-2.0

"""A destination is told late to clean up after a guest that has stayed.

The server may be on its way there again by then, by another migration.
"""

from tests.functional.nova.moves import failing, native  # isort: skip - first

import functools
import typing as ty
from unittest import mock

from nova.compute import manager

from tests.functional.nova import messages

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION


class LateRollbackTest(native.Guests, failing.TestCase):
    """The guest takes its devices with it: both hosts have them ready."""

    # What the first migration has bound is bound still.
    TIMES = 2

    def fail_first(self) -> messages.Held:
        """Migrate the server in vain, and have the message not come."""
        held: messages.Held = self.useFixture(
            messages.Held('rollback_live_migration_at_destination')
        )
        self.guest_moves.fails = True
        self.migrate_in_vain('failed', 'error')
        self.wait_for(held.is_sent)
        self.guest_moves.fails = False
        self.reset()
        self.wait_for_all('ACTIVE')
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        return held

    def deliver_in(self, method: str, held: messages.Held) -> ty.Any:
        """Have the message come when the source is about to do something."""
        stock = getattr(manager.ComputeManager, method)

        @functools.wraps(stock)
        def deliver(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            held.deliver()
            return stock(*args, **kwargs)

        return mock.patch.object(manager.ComputeManager, method, deliver)

    def assert_runs(self, host: str) -> None:
        """Check that the guest runs on a host, with devices of it alone."""
        self.assert_on(host)
        self.assert_active()
        (domain,) = self.domains(self.moved.server)
        self.assertTrue(domain.isActive())
        self.assertEqual(self.moved.devices, len(domain.live))

    def test_it_stays(self) -> None:
        held = self.fail_first()
        held.deliver()
        self.assert_runs(SOURCE)

    def test_it_has_come_by_another_migration(self) -> None:
        """libvirt has its guest here, and Nova does not say so yet."""
        held = self.fail_first()
        with self.deliver_in('_post_live_migration', held):
            self.live_migrate()
        self.assert_runs(DESTINATION)

    def test_it_is_about_to_come(self) -> None:
        held = self.fail_first()
        with self.deliver_in('_do_live_migration', held):
            self.live_migrate()
        self.assert_runs(DESTINATION)

    def test_it_is_there_and_has_been_back(self) -> None:
        held = self.fail_first()
        for host in (DESTINATION, SOURCE):
            self.live_migrate(host)
            self.assert_runs(host)
        held.deliver()
        self.assert_runs(SOURCE)

    def test_it_has_come_by_a_cold_migration(self) -> None:
        held = self.fail_first()
        self.migrate()
        held.deliver()
        self.assert_waiting()
        self.revert()
