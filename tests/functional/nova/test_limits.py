# SPDX-License-Identifier: Apache-2.0

"""Keystone's limits count device contexts as they count profiles."""

from tests.functional.nova import test_refusals  # isort: skip - first

import collections.abc

import fixtures
import testtools
from nova.compute import api
from oslo_limit import fixture as limit_fixture

#: Whether it is a method that does it.
COUNTS = hasattr(api.API, '_enforce_create_unified_limits')
SINCE = 'Nova counts accelerators in unified limits since 2026.2'


class Limits(fixtures.Fixture):
    """Keystone limits what projects have of accelerators, and nothing else.

    :param flags: sets Nova's options for a test.
    :param amounts: how many, by resource class.
    """

    def __init__(
        self, flags: collections.abc.Callable[..., None], **amounts: int
    ) -> None:
        super().__init__()
        self._flags = flags
        self._amounts = amounts

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        self._flags(driver='nova.quota.UnifiedLimitsDriver', group='quota')
        limits = dict.fromkeys(
            (
                'servers',
                'class:VCPU',
                'class:MEMORY_MB',
                'class:DISK_GB',
                'server_metadata_items',
                'server_injected_files',
                'server_injected_file_content_bytes',
                'server_injected_file_path_bytes',
            ),
            100_000,
        )
        for name, amount in self._amounts.items():
            limits[f'class:{name}'] = amount
        self.useFixture(limit_fixture.LimitFixture(limits, {}))


class _LimitedTestCase(test_refusals.TestCase):
    """A project may have two FPGAs."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(Limits(self.flags, FPGA=2))


@testtools.skipUnless(COUNTS, SINCE)
class UnifiedLimitsTest(_LimitedTestCase):
    """Amounts, contexts and the flavor's profile are added up."""

    def test_contexts_are_added_up(self) -> None:
        contexts = [self.create_context() for _ in range(3)]
        two = self.create_context(resources={'FPGA': 2})
        self.assertIn('class:FPGA', self.refused(403, two, contexts[0]))
        server = self.boot(*contexts[:2])
        self.assertIn('class:FPGA', self.refused(403, contexts[2]))
        self.assertEqual('available', self.status(contexts[2]))
        # Servers without device contexts are not concerned.
        self.boot()
        self.delete(server)
        self.boot(contexts[2])

    def test_a_profile_and_contexts_are_added_up(self) -> None:
        flavors = {amount: self._profile_flavor(amount) for amount in (2, 3)}
        self.assertEqual(
            self.refused(403, flavorRef=flavors[3]),
            self.refused(403, self.create_context(resources={'FPGA': 3})),
        )
        sentence = self.refused(
            403, self.create_context(), flavorRef=flavors[2]
        )
        self.assertIn('class:FPGA', sentence)
        self.boot(flavorRef=flavors[2])
        self.assertEqual(2, self.usage(self.device))

    def test_the_dearest_alternative_counts(self) -> None:
        few, many = (
            self.create_context(
                groups=[
                    {
                        'first_available': [
                            {'resources': {'FPGA': amount}}
                            for amount in amounts
                        ]
                    }
                ]
            )
            for amounts in ((1, 2), (1, 3))
        )
        self.assertIn('class:FPGA', self.refused(403, many))
        # Not both together.
        self.boot(few)
        self.assertEqual(1, self.usage(self.device))

    def _profile_flavor(self, amount: int) -> str:
        name = f'gzip{amount}'
        self.create_profile(name, {'resources:FPGA': str(amount)})
        return self._create_flavor(extra_spec={'accel:device_profile': name})

    def test_the_conductor_counts_again(self) -> None:
        context = self.create_context(resources={'FPGA': 3})
        with self.without_api_plugin():
            self.assertIn('class:FPGA', self.boot_fails(context))
        self.assert_available(context)


@testtools.skipIf(COUNTS, SINCE)
class UncountedTest(_LimitedTestCase):
    """Before that, they count neither."""

    def test_more_than_the_limit(self) -> None:
        self.boot(self.create_context(resources={'FPGA': 3}))
        self.assertEqual(3, self.usage(self.device))
