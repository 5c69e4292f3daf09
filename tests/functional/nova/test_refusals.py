# SPDX-License-Identifier: Apache-2.0

"""What nova-conductor refuses, and that nothing of it stays reserved.

It is asked by a nova-api without the plugin; what one with it refuses is in
test_early_refusal.
"""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

import fixtures
from nova import exception
from nova.compute import utils as compute_utils
from oslo_utils import uuidutils


class RefusalTest(base.TestCase):
    """One compute node, with devices enough."""

    API_PLUGIN = False

    def setUp(self) -> None:
        super().setUp()
        self.add_device(slots=16)

    def test_unknown_context(self) -> None:
        unknown = uuidutils.generate_uuid()
        known = self.create_context()
        fault = self.boot_fails(known, unknown)
        self.assertIn(f'Device context {unknown} was not found', fault)
        self.assert_available(known)

    def test_malformed_context(self) -> None:
        fault = self.boot_fails('my-fpga')
        self.assertIn('Device context my-fpga was not found', fault)
        self.assert_nothing_held()

    def test_context_of_another_project(self) -> None:
        context = self.create_context(project=base.OTHER_PROJECT)
        fault = self.boot_fails(context)
        self.assertIn(f'Device context {context} was not found', fault)
        self.assert_nothing_held()

    def test_context_held_by_another_server(self) -> None:
        held, free = self.create_context(), self.create_context()
        holder = self.boot(held)
        fault = self.boot_fails(free, held)
        self.assertIn(
            f'Device context {held} is in use by server {holder["id"]}', fault
        )
        self.assertEqual('available', self.status(free))
        self.assertEqual('bound', self.status(held))
        self.assertEqual(1, len(self.hostdevs(holder)))

    def test_same_context_twice(self) -> None:
        context = self.create_context()
        fault = self.boot_fails(context, context)
        self.assertIn(f'{context} is named more than once', fault)
        self.assert_available(context)

    def test_two_servers_at_once(self) -> None:
        context = self.create_context()
        fault = self.boot_fails(context, count=2)
        self.assertIn(f'{context} cannot be given to 2 servers', fault)
        self.assert_available(context)
        for server in self.api.get_servers():
            self.assertEqual('ERROR', server['status'])

    def test_too_many_groups(self) -> None:
        contexts = [self.create_context() for _ in range(9)]
        fault = self.boot_fails(*contexts)
        self.assertIn('have 9 request groups together; at most 8', fault)
        self.assert_available(*contexts)

    def test_quota_is_full_when_it_is_checked_again(self) -> None:
        check = compute_utils.check_num_instances_quota

        def recheck(
            context: ty.Any, flavor: ty.Any, *counts: int, **others: ty.Any
        ) -> ty.Any:
            # Only the conductor's second check asks for none.
            if counts == (0, 0):
                raise exception.TooManyInstances(
                    overs='instances', req=1, used=10, allowed=10
                )
            return check(context, flavor, *counts, **others)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{compute_utils.__name__}.check_num_instances_quota', recheck
            )
        )
        context = self.create_context()
        self.assertIn('Quota exceeded', self.boot_fails(context))
        self.assert_available(context)
