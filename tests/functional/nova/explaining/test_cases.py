# SPDX-License-Identifier: Apache-2.0

"""Each reason why there is no host, as server, context and client say it."""

from tests.functional.nova.explaining import explained  # isort: skip - first

import fixtures
from nova.scheduler import host_manager

_CLASS = (
    'No device of this cloud is of class {}: ask for a class that "device '
    'context options" lists.'
)
_SCHEDULERS = (
    'A host has all of it free, but Nova took none: try again, or ask the '
    'administrator which filter of the scheduler refuses.'
)


class OneHostTest(explained.TestCase):
    """One compute node."""

    def test_the_class_does_not_exist(self) -> None:
        self.add_device()
        self.assert_explained(
            _CLASS.format('CUSTOM_NONESUCH'),
            self.create_context(resources={'NONESUCH': 1}),
        )

    def test_no_device_is_of_the_class(self) -> None:
        self.add_device()
        self.assert_explained(
            _CLASS.format('PGPU'),
            self.create_context(resources={'PGPU': 1}),
        )

    def test_nobody_offers_the_trait(self) -> None:
        self.add_device()
        self.assert_explained(
            'No device of this cloud has trait CUSTOM_NONESUCH: leave it out, '
            'or ask for one that "device context options" lists.',
            self.create_context(required=['NONESUCH']),
        )

    def test_the_trait_is_on_other_devices(self) -> None:
        self.add_device()
        self.add_device(resource_class='PGPU', traits=['CUSTOM_FOO'])
        self.assert_explained(
            'No device of class FPGA has trait CUSTOM_FOO: ask for another '
            'class, or leave the trait out.',
            self.create_context(required=['FOO']),
        )

    def test_two_traits_that_no_device_has_both_of(self) -> None:
        self.add_device(traits=['CUSTOM_BAR'])
        self.add_device(traits=['CUSTOM_FOO'])
        self.assert_explained(
            'No device of class FPGA has trait CUSTOM_FOO beside CUSTOM_BAR: '
            'ask for another class, or leave the trait out.',
            self.create_context(required=['FOO', 'BAR']),
        )

    def test_a_forbidden_trait(self) -> None:
        self.add_device(traits=['CUSTOM_FOO'])
        self.assert_explained(
            'Each device that is free has trait CUSTOM_FOO, which is '
            'forbidden: do not forbid it.',
            self.create_context(forbidden=['FOO', 'NONESUCH']),
        )

    def test_all_units_are_used(self) -> None:
        self.add_device(slots=1)
        self.boot(self.create_context())
        context = self.create_context()
        server = self.post_server(context)
        sentence = (
            'All units of FPGA are used: wait until one is free, or ask for '
            'another class.'
        )
        self.assertEqual(
            f'No valid host was found. {sentence}', self.fault_of(server)
        )
        self.assertEqual(sentence, self.get_context(context)['fault'])
        self.assertEqual(sentence, self.explain(context)[0])

    def test_all_with_the_trait_are_used(self) -> None:
        self.add_device(slots=1, traits=['CUSTOM_FOO'])
        self.add_device(slots=1)
        self.boot(self.create_context(required=['FOO']))
        fault = self.boot_fails(self.create_context(required=['FOO']))
        self.assertIn('All FPGA with trait CUSTOM_FOO are used', fault)

    def test_the_trait_is_on_a_device_in_maintenance(self) -> None:
        self.add_device(traits=['CUSTOM_FOO'])
        self.disable_only_device()
        self.add_device()
        self.assert_explained(
            'All FPGA with trait CUSTOM_FOO are in maintenance: wait until '
            'one is back, or leave the trait out.',
            self.create_context(required=['FOO']),
        )

    def test_the_trait_is_on_a_device_with_too_few_units(self) -> None:
        self.add_device(slots=1, traits=['CUSTOM_FOO'])
        self.add_device(slots=2)
        self.assert_explained(
            'No one device with trait CUSTOM_FOO has 2 FPGA: ask for fewer, '
            'or leave the trait out.',
            self.create_context(resources={'FPGA': 2}, required=['FOO']),
        )

    def test_two_classes_in_one_group(self) -> None:
        self.add_device()
        self.add_device(resource_class='PGPU')
        self.assert_explained(
            'No one device is of the classes FPGA and PGPU: ask for each in '
            'a group of its own.',
            self.create_context(resources={'FPGA': 1, 'PGPU': 1}),
        )

    def test_two_groups_and_one_unit(self) -> None:
        self.add_device(slots=1)
        self.assert_explained(
            'The groups together ask for more FPGA than are free: ask for '
            'fewer, or wait until more are free.',
            self.create_context(groups=[{'resources': {'FPGA': 1}}] * 2),
        )

    def test_more_than_one_device_has(self) -> None:
        for _n in range(2):
            self.add_device(slots=2)
        self.assert_explained(
            'No one device has 3 FPGA free: ask for fewer, or for them in '
            'several groups.',
            self.create_context(resources={'FPGA': 3}),
        )

    def test_the_memory_of_the_flavor(self) -> None:
        self.add_device()
        self.flags(ram=-1, group='quota')
        flavor = self._create_flavor(memory_mb=10**8)
        self.assert_explained(
            'No host that has the devices free has 100000000 MB of memory '
            'free: choose a smaller flavor.',
            self.create_context(),
            flavorRef=flavor,
        )

    def test_the_host_is_disabled(self) -> None:
        self.add_device()
        (service,) = self.admin_api.get_services(binary='nova-compute')
        self.admin_api.put_service(service['id'], {'status': 'disabled'})
        self.assert_explained(
            'The hosts that have all of it free are disabled: wait until one '
            'is enabled, or ask the administrator.',
            self.create_context(),
        )

    def test_what_the_flavor_requires_of_the_host(self) -> None:
        self.add_device()
        flavor = self._create_flavor(
            extra_spec={'trait:HW_CPU_X86_AVX512F': 'required'}
        )
        self.assert_explained(
            'No host that has the devices free, and what the flavor needs, '
            'has trait HW_CPU_X86_AVX512F: choose another flavor or image.',
            self.create_context(),
            flavorRef=flavor,
        )

    def test_what_of_the_flavor_nova_ignores(self) -> None:
        self.add_device()
        flavor = self._create_flavor(
            extra_spec={
                'resources:CUSTOM_X': '-1',
                'resources1:CUSTOM_X': 'two',
                'resources:NOSUCH': '1',
                'trait:CUSTOM_Y': 'maybe',
            }
        )
        context = self.create_context()
        said, _rows = self.explain(context, '--flavor', flavor)
        first, *warnings = said.splitlines()
        self.assertEqual('A host has all of it free.', first)
        self.assertEqual(4, len(warnings), said)
        # It does.
        self.boot(context, flavorRef=flavor)

    def test_a_filter_of_the_scheduler_refuses(self) -> None:
        self.add_device()
        self.useFixture(
            fixtures.MockPatchObject(
                host_manager.HostManager,
                'get_filtered_hosts',
                return_value=[],
            )
        )
        context = self.create_context()
        self.assertIn(_SCHEDULERS, self.boot_fails(context))
        # Which is not known before.
        self.assertEqual(
            'A host has all of it free.', self.explain(context)[0]
        )

    def test_what_is_counted_and_for_whom(self) -> None:
        self.add_device(traits=['CUSTOM_FOO'])
        context = self.create_context(required=['FOO'])
        sentence, rows = self.explain(context, '--flavor', self.plain_flavor)
        self.assertEqual('A host has all of it free.', sentence)
        self.assertEqual(
            ('group 0: a device of class FPGA is free', 'yes'), rows[0]
        )
        self.assertEqual({'yes'}, {row[1] for row in rows})
        _sentence, counted = self.explain(
            context, roles=('admin', 'member', 'reader')
        )
        self.assertEqual(
            ('group 0: a device of class FPGA is free', 'yes', '1'),
            counted[0],
        )

    def test_groups_in_place_of_a_context(self) -> None:
        self.add_device()
        before = self.cyborg.control('rows', table='device_contexts')
        self.assertEqual(
            _CLASS.format('CUSTOM_NONESUCH'),
            self.explain('--resources', 'NONESUCH:1')[0],
        )
        self.assertEqual(
            'A host has all of it free.',
            self.explain('--resources', 'FPGA:1')[0],
        )
        self.assertEqual(
            before, self.cyborg.control('rows', table='device_contexts')
        )

    def test_as_many_questions_for_any_number_of_devices(self) -> None:
        self.add_device(traits=['CUSTOM_FOO'])
        context = self.create_context(required=['BAR'])
        self.add_device(resource_class='PGPU', traits=['CUSTOM_BAR'])
        questions = self.placement_requests
        counts = []
        for _n in range(2):
            questions.clear()
            self.explain(context, '--flavor', self.plain_flavor)
            counts.append(len(questions))
            for _m in range(20):
                self.add_device()
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 12)

    def test_a_boot_that_succeeds_asks_nothing(self) -> None:
        self.add_device()
        context = self.create_context()
        self.placement_requests.clear()
        self.boot(context)
        self.assertEqual([], self.placement_requests)
        self.assertFalse(
            [path for _m, path in self.nova_calls() if 'explain' in path]
        )

    def test_placement_does_not_answer_cyborg(self) -> None:
        self.cyborg.control('reach_placement', url='http://127.0.0.1:9')
        fault = self.boot_fails(self.create_context())
        self.assertEqual('No valid host was found. ', fault)

    def test_unshelve_finds_no_host(self) -> None:
        self.add_device(slots=1)
        context = self.create_context()
        server = self.boot(context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        other = self.boot(self.create_context())
        self.api.post_server_action(server['id'], {'unshelve': None})
        self.wait_for(lambda: self.get_context(context)['fault'])
        sentence = self.get_context(context)['fault']
        self.assertIn('All units of FPGA are used', sentence)
        self.assertEqual('reserved', self.status(context))
        self.wait_for_status(server, 'SHELVED_OFFLOADED')
        self.delete(other)
        self.act(server, 'unshelve')
        self.assertIsNone(self.get_context(context)['fault'])


class TwoHostsTest(explained.TestCase):
    """Two compute nodes."""

    HOSTS = ('compute1', 'compute2')

    def test_no_host_has_all_groups(self) -> None:
        self.add_device('compute1')
        self.add_device('compute2', 'PGPU')
        self.assert_explained(
            'Group 1: it is free somewhere, but no single host has all '
            'groups: leave it out, or boot another server with it.',
            self.create_context(
                groups=[
                    {'resources': {'FPGA': 1}},
                    {'resources': {'PGPU': 1}},
                ]
            ),
        )

    def test_no_host_has_all_contexts(self) -> None:
        self.add_device('compute1')
        self.add_device('compute2', 'PGPU')
        contexts = [
            self.create_context(name=name, resources={name: 1})
            for name in ('FPGA', 'PGPU')
        ]
        fault = self.boot_fails(*contexts)
        self.assertIn('no single host has all groups', fault)
        self.assertRegex(fault, 'Group 0 of (FPGA|PGPU): ')

    def test_the_second_group_is_what_there_is_not(self) -> None:
        self.add_device('compute1')
        self.add_device('compute2', 'PGPU', slots=1)
        self.assert_explained(
            'Group 1: No one device has 2 PGPU free: ask for fewer, or for '
            'them in several groups.',
            self.create_context(
                groups=[
                    {'resources': {'FPGA': 1}},
                    {'resources': {'PGPU': 2}},
                ]
            ),
        )
