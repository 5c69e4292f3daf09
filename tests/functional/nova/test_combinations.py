# SPDX-License-Identifier: Apache-2.0

"""No server keeps Placement busy: one that would is refused before."""

from tests.functional.nova import test_refusals  # isort: skip - first

import typing as ty

import testtools
from placement import conf as placement_conf

# The option of Placement that does it.
_PRUNES = hasattr(placement_conf, 'workarounds')
_SINCE = 'Placement prunes since 2026.2'
_CARDS = 16
_SENTENCE = (
    'There are over 30000 ways to give the server its devices, and Placement '
    'would try them all. Use fewer device contexts of one kind, or a larger '
    'amount in one. Operators: see [nova_cyborg] max_device_combinations and '
    'placement_prunes.'
)


class CombinationsTest(test_refusals.TestCase):
    """One compute node, with sixteen cards of one slot each."""

    def setUp(self) -> None:
        super().setUp()
        self.cards = [
            self.add_device(
                resource_class='CUSTOM_CARD',
                slots=1,
                # One of them is better than the others.
                traits=['CUSTOM_BEST'] if number == 0 else (),
            )
            for number in range(_CARDS)
        ]

    def _contexts_of_cards(self, number: int, **fields: ty.Any) -> list[str]:
        return [
            self.create_context(resources={'CARD': 1}, **fields)
            for _ in range(number)
        ]

    def _let_placement_prune(self) -> None:
        """Set what is documented, in placement.conf and in nova.conf."""
        config = self.placement_fixture.conf_fixture.config
        config(group='placement', max_allocation_candidates=1000)
        config(
            group='placement',
            allocation_candidates_generation_strategy='breadth-first',
        )
        config(group='workarounds', optimize_for_wide_provider_trees=True)
        self.flags(placement_prunes=True, group='nova_cyborg')

    def _assert_refused_by_both(self, *contexts: str) -> None:
        self.assertEqual(_SENTENCE, self.refused(409, *contexts))
        with self.without_api_plugin():
            self.assertEqual(_SENTENCE, self.boot_fails(*contexts))
        self.assert_available(*contexts)

    def test_eight_equal_groups_are_refused(self) -> None:
        contexts = self._contexts_of_cards(8)
        self._assert_refused_by_both(*contexts)
        # 4,096 are few.
        server = self.boot(*contexts[:3])
        self.assertEqual(3, len(self.hostdevs(server)))

    @testtools.skipUnless(_PRUNES, _SINCE)
    def test_eight_equal_groups_are_scheduled(self) -> None:
        self._let_placement_prune()
        server = self.boot(*self._contexts_of_cards(8))
        slots = {device.slot for device in self.hostdevs(server)}
        self.assertEqual(8, len(slots))
        self.assert_hostdevs(server, slots)

    @testtools.skipUnless(_PRUNES, _SINCE)
    def test_a_device_that_several_groups_can_have(self) -> None:
        """Placement prunes, and would try them all for hours."""
        self._let_placement_prune()
        contexts = [
            *self._contexts_of_cards(6),
            *self._contexts_of_cards(2, required=['BEST']),
        ]
        self._assert_refused_by_both(*contexts)
        self.boot(*contexts[-3:-1])

    def test_the_profile_of_the_flavor_counts(self) -> None:
        self.create_profile('card', {'resources:CUSTOM_CARD': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'card'}
        )
        self.flags(max_device_combinations=_CARDS**2, group='nova_cyborg')
        contexts = self._contexts_of_cards(2)
        sentence = self.refused(409, *contexts, flavorRef=flavor)
        self.assertIn('There are over 256 ways', sentence)
        with self.without_api_plugin():
            fault = self.boot_fails(*contexts, flavorRef=flavor)
        self.assertEqual(sentence, fault)
        self.assert_available(*contexts)
        self.boot(contexts[0], flavorRef=flavor)

    def test_what_the_flavor_asks_for_by_itself_counts(self) -> None:
        flavor = self._create_flavor(extra_spec={'resources:CUSTOM_CARD': '1'})
        self.flags(max_device_combinations=_CARDS**2, group='nova_cyborg')
        contexts = self._contexts_of_cards(2)
        self.refused(409, *contexts, flavorRef=flavor)
        server = self.boot(contexts[0], flavorRef=flavor)
        self.assertEqual(1, len(self.hostdevs(server)))
        self.assertEqual(2, sum(map(self.usage, self.cards)))

    def test_a_server_that_comes_back(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(*self._contexts_of_cards(2))
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.flags(max_device_combinations=100, group='nova_cyborg')
        self.api.post_server_action(server['id'], {'unshelve': None})
        self.wait_for(lambda: 'begin' in self.nova_calls()[-1][1])
        self.wait_for_status(server, 'SHELVED_OFFLOADED')
        self.assertEqual(set(), self.used_slots())

        self.flags(max_device_combinations=256, group='nova_cyborg')
        self.act(server, 'unshelve')
        self.assertEqual(2, len(self.hostdevs(server)))
