# SPDX-License-Identifier: Apache-2.0

"""The request language: what is accepted, what is refused, what it says."""

import itertools

import pytest

from nova_cyborg import language, model

CONTEXT_ID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
GROUP = {
    'resources': {'FPGA_GZIP': 1},
    'required': ['SOME_FOO_CAPABILITY'],
    'forbidden': ['OTHER'],
    'config': {'key1': 'val1'},
}


def profile_name(items):
    return model.profile_name([language.parse_group(each) for each in items])


class TestProfileName:
    def test_it_is_a_name_that_cyborg_takes(self):
        name = profile_name([GROUP])

        assert name.startswith(model.PROFILE_PREFIX)
        assert len(name) == 44
        assert name.replace('-', '').isalnum()

    def test_it_stays_the_same_in_all_releases(self):
        # ARQs of servers that run refer to it.
        assert profile_name([GROUP]) == (
            'nova-cyborg-1a1d1b0fd9c17ab0f09a88ca0266b02f'
        )

    def test_the_order_of_what_is_in_a_group_does_not_matter(self):
        names = set()
        for classes in itertools.permutations(['A', 'B', 'C']):
            group = {
                'resources': dict.fromkeys(classes, 1),
                'required': list(classes),
                'config': dict.fromkeys(classes, ''),
            }
            names.add(profile_name([group]))

        assert len(names) == 1

    @pytest.mark.parametrize(
        'other',
        [
            [GROUP, GROUP],
            [{**GROUP, 'resources': {'FPGA_GZIP': 2}}],
            [{**GROUP, 'required': []}],
            [{**GROUP, 'config': {'key1': 'val2'}}],
        ],
    )
    def test_other_groups_have_another_name(self, other):
        assert profile_name([GROUP]) != profile_name(other)


def choices(*sizes):
    """Return groups with so many alternatives, of a class each."""
    return [
        model.Choice(
            tuple(model.Group(((f'CUSTOM_{n}_{m}', 1),)) for m in range(size))
        )
        for n, size in enumerate(sizes)
    ]


class TestPicks:
    @pytest.mark.parametrize(
        ('sizes', 'picks'),
        [
            ((), [()]),
            ((1, 1), [(0, 0)]),
            ((3,), [(0,), (1,), (2,)]),
            ((2, 1, 2), [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)]),
            (
                (3, 3),
                [
                    (0, 0),
                    (0, 1),
                    (1, 0),
                    (0, 2),
                    (1, 1),
                    (2, 0),
                    (1, 2),
                    (2, 1),
                    (2, 2),
                ],
            ),
        ],
    )
    def test_the_order(self, sizes, picks):
        assert list(model.picks(choices(*sizes))) == picks
        assert model.pick_count(choices(*sizes)) == len(picks)

    def test_the_first_of_very_many_are_found_at_once(self):
        groups = choices(*[8] * 256)

        first = list(itertools.islice(model.picks(groups), model.MAX_PICKS))

        assert len(set(first)) == model.MAX_PICKS
        assert [sum(pick) for pick in first] == [0] + [1] * 15

    def test_what_is_picked(self):
        one, other = choices(2, 3)

        assert model.picked([one, other], (1, 2)) == (
            one.alternatives[1],
            other.alternatives[2],
        )


class TestChoice:
    FEW = model.Group((('FPGA', 1), ('VGPU', 3)))
    MANY = model.Group((('FPGA', 2),), required=('CUSTOM_X',))

    def test_a_group_without_alternatives_looks_as_it_always_did(self):
        plain = model.Choice((self.MANY,))

        assert plain.as_dict() == plain.as_record() == self.MANY.as_dict()
        assert model.Choice.from_record(self.MANY.as_dict()) == plain

    @pytest.mark.parametrize('chosen', [None, 0, 1])
    def test_the_form_of_the_api(self, chosen):
        both = model.Choice((self.FEW, self.MANY))

        assert both.as_dict(chosen) == {
            'first_available': [self.FEW.as_dict(), self.MANY.as_dict()],
            'chosen': chosen,
        }

    def test_an_earlier_release_reads_the_first_one(self):
        record = model.Choice((self.FEW, self.MANY)).as_record()

        assert model.Group.from_dict(record) == self.FEW

    def test_it_is_read_as_it_was_written(self):
        both = model.Choice((self.FEW, self.MANY))

        assert model.Choice.from_record(both.as_record()) == both

    def test_the_dearest_of_each_class_counts(self):
        both = model.Choice((self.FEW, self.MANY))

        assert both.resources == (('FPGA', 2), ('VGPU', 3))
        assert both.accelerator_count == 4
        assert model.amounts([both, self.FEW]) == {'FPGA': 3, 'VGPU': 6}


class TestRequesterId:
    @pytest.mark.parametrize('group', [0, 1, language.MAX_GROUPS - 1])
    def test_it_is_read_as_it_was_written(self, group):
        requester = model.requester_id(CONTEXT_ID, group)

        assert requester == f'device_context_{CONTEXT_ID}_{group}'
        assert len(requester) <= 64
        assert model.parse_requester_id(requester) == (CONTEXT_ID, group, 0)

    @pytest.mark.parametrize('group', [0, language.MAX_GROUPS - 1])
    def test_alternatives_but_the_first_are_named(self, group):
        last = language.MAX_ALTERNATIVES - 1
        requester = model.requester_id(CONTEXT_ID, group, last)

        assert requester == f'device_context_{CONTEXT_ID}_{group}_{last}'
        assert len(requester) <= 64
        assert model.parse_requester_id(requester) == (CONTEXT_ID, group, last)
        assert model.requester_id(CONTEXT_ID, group, 0) == (
            model.requester_id(CONTEXT_ID, group)
        )

    @pytest.mark.parametrize(
        'requester',
        [
            '',
            'device_profile_0',
            CONTEXT_ID,
            f'port_{CONTEXT_ID}_0',
            f'device_context_{CONTEXT_ID}',
            f'device_context_{CONTEXT_ID}_',
            f'device_context_{CONTEXT_ID}_x',
            f'device_context_{CONTEXT_ID}_²',
            f'device_context_{CONTEXT_ID}_0_',
            f'device_context_{CONTEXT_ID}_0_x',
            f'device_context_{CONTEXT_ID}_0_1_2',
        ],
    )
    def test_others_are_not_ours(self, requester):
        assert model.parse_requester_id(requester) is None


def device(state='Bound', **fields):
    return model.Device(arq_id='arq', group=0, state=state, **fields)


ADDRESS = {'domain': '0000', 'bus': '0c', 'device': '1f', 'function': '7'}


class TestDevice:
    @pytest.mark.parametrize('handle_type', ['PCI', 'TEST_PCI'])
    def test_the_slot_of_a_pci_device_is_its_address(self, handle_type):
        found = device(
            attach_handle_type=handle_type,
            attach_handle_id='handle',
            attach_handle_info=ADDRESS,
        )

        assert found.slot == '0000:0c:1f.7'

    def test_the_slot_of_a_mediated_device_is_its_handle(self):
        found = device(
            attach_handle_type='MDEV',
            attach_handle_id='handle',
            attach_handle_info={**ADDRESS, 'asked_type': 'nvidia-223'},
        )

        assert found.slot == 'handle'

    def test_there_is_no_slot_before_it_is_bound(self):
        assert device('BindStarted').slot is None

    def test_the_form_of_the_api_has_the_slot(self):
        found = device(attach_handle_type='PCI', attach_handle_info=ADDRESS)

        assert found.as_dict() == {
            'arq_id': 'arq',
            'group': 0,
            'state': 'Bound',
            'host': None,
            'resource_provider_id': None,
            'attach_handle_type': 'PCI',
            'attach_handle_id': None,
            'attach_handle_info': ADDRESS,
            'missing': False,
            'alternative': 0,
            'slot': '0000:0c:1f.7',
        }


def device_context(states=(), **fields):
    return model.DeviceContext(
        uuid=CONTEXT_ID,
        project_id='project',
        user_id='user',
        groups=(),
        bindings=(
            model.Binding('compute2', 'leaving', (device('BindFailed'),)),
            model.Binding(
                'compute1',
                'active',
                tuple(device(state, host='compute1') for state in states),
            ),
        ),
        **fields,
    )


class TestDeviceContext:
    @pytest.mark.parametrize(
        ('server_id', 'states', 'fault', 'status'),
        [
            (None, [], None, 'available'),
            (None, ['Bound'], None, 'available'),
            ('server', [], None, 'reserved'),
            ('server', ['Initial'], None, 'binding'),
            ('server', ['BindStarted'], None, 'binding'),
            ('server', ['Bound', 'BindStarted'], None, 'binding'),
            ('server', ['Unbound'], None, 'binding'),
            ('server', ['Bound'], None, 'bound'),
            ('server', ['Bound', 'Bound'], None, 'bound'),
            ('server', ['Bound', 'BindFailed'], None, 'error'),
            ('server', ['UnbindFailed'], None, 'error'),
            ('server', [], 'no slot', 'error'),
            ('server', ['Bound'], 'no slot', 'error'),
        ],
    )
    def test_the_status_follows_from_server_and_devices(
        self, server_id, states, fault, status
    ):
        found = device_context(
            states, server_id=server_id, binding_fault=fault
        )

        assert found.status == status
        assert status in model.Status.ALL

    @pytest.mark.parametrize('transition', model.Transition.ALL)
    @pytest.mark.parametrize('states', [[], ['Bound'], ['BindFailed']])
    def test_the_status_is_what_is_being_done_with_it(
        self, transition, states
    ):
        fields = {'transition': transition, 'binding_fault': 'no slot'}

        held = device_context(states, server_id='server', **fields)

        assert held.status == transition
        assert device_context(states, **fields).status == 'available'

    def test_what_could_not_be_detached_goes_on_working(self):
        found = device_context(
            ['Bound'], server_id='server', transition_fault='it keeps it'
        )

        assert (found.status, found.fault) == ('bound', 'it keeps it')

    def test_of_two_faults_the_last_one_is_shown(self):
        found = device_context(
            server_id='server',
            transition_fault='it keeps it',
            binding_fault='no slot',
        )

        assert (found.status, found.fault) == ('error', 'it keeps it')

    def test_the_host_is_that_of_its_devices(self):
        assert device_context(['Initial']).host == 'compute1'
        assert device_context().host is None


NODE = {'VCPU': 1, 'MEMORY_MB': 512}


def vgpus(**numbers):
    """Allocations of a server on its node, and on other providers."""
    return {'node': NODE} | {
        provider: {'VGPU': number} for provider, number in numbers.items()
    }


@pytest.mark.parametrize(
    ('allocated', 'left', 'of_flavor', 'expected'),
    [
        # A device is gone, and nothing else asks for it.
        ({'a': 1}, {'a': {}}, {}, {}),
        ({'a': 2}, {'a': {'VGPU': 1}}, {}, {'a': 1}),
        # Of no device's provider, nothing is known.
        ({'a': 1}, {}, {}, {'a': 1}),
        # Never more than there is.
        ({'a': 1}, {'a': {'VGPU': 2}}, {'VGPU': 3}, {'a': 1}),
        # The flavor has its own of the same provider, or of another device's.
        ({'a': 2}, {'a': {}}, {'VGPU': 1}, {'a': 1}),
        ({'a': 1, 'b': 1}, {'a': {'VGPU': 1}, 'b': {}}, {'VGPU': 1}, None),
        # It has it of one that is no device's: nothing of it is a device's.
        ({'own': 1, 'a': 1}, {'a': {}}, {'VGPU': 1}, {'own': 1}),
        ({'own': 1, 'a': 2}, {'a': {}}, {'VGPU': 2}, {'own': 1, 'a': 1}),
        ({'own': 2, 'a': 1}, {'a': {}}, {'VGPU': 1}, {'own': 2}),
        # It has it once, of however many.
        ({'a': 1, 'b': 1}, {'a': {}, 'b': {}}, {'VGPU': 1}, {'a': 1}),
    ],
)
def test_lowered(allocated, left, of_flavor, expected):
    found = model.lowered(vgpus(**allocated), left, of_flavor)

    assert found == vgpus(**(allocated if expected is None else expected))


def test_classes_are_apart():
    found = model.lowered(
        {'a': {'VGPU': 1, 'FPGA': 2}}, {'a': {'FPGA': 1}}, {'VGPU': 1}
    )

    assert found == {'a': {'VGPU': 1, 'FPGA': 1}}
