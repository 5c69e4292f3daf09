# SPDX-License-Identifier: Apache-2.0

"""The first that is available is chosen for a new server."""

from tests.functional.nova.alternatives import choosing  # isort: skip - first

import fixtures
from nova_cyborg.nova.conductor import refusals

from tests.functional.nova.alternatives.choosing import one_of

_USED = (
    'All units of FPGA are used: wait until one is free, or ask for another '
    'class.'
)
_NONE = f'{_USED} None of the alternatives fits either.'


class BootTest(choosing.TestCase):
    """One FPGA in a host, and one GPU in the other one."""

    def setUp(self) -> None:
        super().setUp()
        self.fpga = self.add_device('compute1', slots=1)
        self.gpu = self.add_device('compute2', slots=1, resource_class='PGPU')

    def test_the_first_then_the_second_then_none(self) -> None:
        first, second, third = (
            self.create_choice(one_of('FPGA', 'PGPU')) for _n in range(3)
        )
        server = self.boot(first)
        self.assertEqual(1, self.candidates.count())
        self.assertEqual([0], self.chosen(first))
        self.assert_hostdevs(server, self.fpga.slots)

        other = self.boot(second)
        self.assertEqual(2, self.candidates.count())
        self.assertEqual([1], self.chosen(second))
        self.assertEqual('compute2', self.get_context(second)['host'])
        self.assert_hostdevs(other, self.gpu.slots)
        self.assertEqual([1, 1], [self.usage(self.fpga), self.usage(self.gpu)])

        fault = self.boot_fails(third)
        self.assertEqual(2, self.candidates.count())
        self.assertEqual(f'No valid host was found. {_NONE}', fault)
        self.assertEqual(_NONE, self.get_context(third)['fault'])
        self.assertEqual([None], self.chosen(third))
        self.wait_for(lambda: self.status(third) == 'available')
        said, rows = self.explain(third)
        self.assertEqual(_NONE, said)
        self.assertIn(
            ('or all of it with alternative 1 of group 0', 'no'), rows
        )

        for each in (server, other):
            self.delete(each)
        self.assertEqual('A host has all of it free.', self.explain(third)[0])
        self.assert_available(third)

    def test_what_could_be_had_is_explained(self) -> None:
        self.boot(self.create_context())
        waiting = self.create_choice(one_of('FPGA', 'PGPU'))
        said, rows = self.explain(waiting)
        self.assertEqual(
            'A host has all of it free, with alternative 1 of group 0.', said
        )
        self.assertIn(('or all of it with the first alternatives', 'no'), rows)

    def test_what_the_cloud_has_not_is_passed_over(self) -> None:
        context = self.create_choice(one_of('NONESUCH', 'PGPU'))
        self.boot(context)
        self.assertEqual([1], self.chosen(context))

    def test_others_cost_what_they_did(self) -> None:
        self.boot()
        self.assertEqual(1, self.candidates.count())
        before = len(self.nova_calls())
        self.boot(self.create_context())
        self.assertEqual(1, self.candidates.count())
        self.boot_fails(self.create_context())
        self.assertEqual(1, self.candidates.count())
        calls = self.nova_calls()[before:]
        self.assertEqual(1, sum('/explain' in path for _, path in calls))

    def test_as_many_calls_of_cyborg_for_any_alternative(self) -> None:
        counts = []
        for _n in range(2):
            before = len(self.nova_calls())
            self.boot(self.create_choice(one_of('FPGA', 'PGPU')))
            calls = self.nova_calls()[before:]
            counts.append(sum(method != 'GET' for method, _path in calls))
        # Checked by nova-api, reserved and bound by nova-conductor.
        self.assertEqual([3, 3], counts)

    def test_there_is_no_time_for_others(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(f'{refusals.__name__}._MAX_SECONDS', -1)
        )
        self.boot(self.create_context())
        self.candidates.count()
        fault = self.boot_fails(self.create_choice(one_of('FPGA', 'PGPU')))
        self.assertEqual(1, self.candidates.count())
        self.assertEqual(f'No valid host was found. {_USED}', fault)


class SeveralTest(choosing.TestCase):
    """Groups and device contexts that have alternatives each."""

    def test_two_groups(self) -> None:
        self.add_device('compute1', slots=1)
        self.add_device('compute1', slots=1, resource_class='PGPU')
        self.add_device('compute2', slots=2, resource_class='PGPU')
        first, second = (
            self.create_choice(one_of('FPGA', 'PGPU'), one_of('FPGA', 'PGPU'))
            for _n in range(2)
        )
        server = self.boot(first)
        # The earlier group keeps its first alternative.
        self.assertEqual([0, 1], self.chosen(first))
        self.assertEqual(2, self.candidates.count())
        self.assertEqual('compute1', self.get_context(first)['host'])
        self.assert_hostdevs(
            server,
            {each['slot'] for each in self.get_context(first)['devices']},
        )
        self.boot(second)
        self.assertEqual([1, 1], self.chosen(second))
        self.assertEqual(4, self.candidates.count())
        self.assertEqual('compute2', self.get_context(second)['host'])

    def test_two_device_contexts(self) -> None:
        self.add_device('compute2', slots=1, resource_class='PGPU')
        self.add_device('compute2', slots=1, resource_class='VGPU')
        first, second = (
            self.create_choice(one_of('FPGA', name))
            for name in ('PGPU', 'VGPU')
        )
        server = self.boot(first, second)
        self.assertEqual([1], self.chosen(first))
        self.assertEqual([1], self.chosen(second))
        self.assertEqual(2, len(self.hostdevs(server)))
        self.delete(server)
        self.assert_nothing_held()

    def test_as_many_combinations_as_are_allowed(self) -> None:
        self.add_device('compute1', slots=3)
        context = self.create_choice(*[one_of('FPGA', 'PGPU')] * 4)
        fault = self.boot_fails(context)
        self.assertEqual(16, self.candidates.count())
        self.assertIn('None of the alternatives fits either.', fault)
        self.add_device('compute1', slots=3)
        self.boot(context)
        self.assertEqual([0] * 4, self.chosen(context))
        self.assertEqual(1, self.candidates.count())

    def test_more_are_refused(self) -> None:
        contexts = [
            self.create_choice(one_of('FPGA', 'PGPU', 'VGPU'))
            for _n in range(3)
        ]
        with self.without_api_plugin():
            fault = self.boot_fails(*contexts)
        self.assertIn('alternatives that make 27 combinations', fault)
        self.assertEqual(0, self.candidates.count())
        self.assert_available(*contexts)


class RescheduleTest(choosing.TestCase):
    """A host was chosen for the second alternative, and fails."""

    def test_the_other_host_is_tried_for_the_same(self) -> None:
        gpus = [
            self.add_device(host, slots=1, resource_class='PGPU')
            for host in self.HOSTS
        ]
        context = self.create_choice(one_of('FPGA', 'PGPU'))
        spawns = self.fail_spawns(1)
        server = self.boot(context)
        self.assertEqual(2, spawns.call_count)
        # It is not scheduled again.
        self.assertEqual(2, self.candidates.count())
        self.assertEqual([1], self.chosen(context))
        self.assertEqual(1, len(self.hostdevs(server)))
        self.wait_for(lambda: sum(map(self.usage, gpus)) == 1)
        self.delete(server)
        self.assert_nothing_held()
