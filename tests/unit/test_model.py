# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The request language: what is accepted, what is refused, what it says."""

import itertools

import os_resource_classes
import pytest

from nova_cyborg import exception, model

CONTEXT_ID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
GROUP = {
    'resources': {'FPGA_GZIP': 1},
    'required': ['SOME_FOO_CAPABILITY'],
    'forbidden': ['OTHER'],
    'config': {'key1': 'val1'},
}


def refused(call, *args, **kwargs):
    """Return field and sentence of the refusal."""
    with pytest.raises(exception.InvalidRequest) as info:
        call(*args, **kwargs)
    return info.value.kwargs['field'], str(info.value)


def refused_field(**fields):
    return refused(model.parse_group, {**GROUP, **fields})[0]


class TestGroup:
    def test_a_group_is_normalised(self):
        group = model.parse_group(
            {
                'resources': {'vgpu': 2, 'Fpga_Gzip': 1},
                'required': ['zeta', 'ALPHA', 'zeta'],
                'config': {'b': '2', 'a': '1'},
            }
        )

        assert group == model.Group(
            resources=(('CUSTOM_FPGA_GZIP', 1), ('VGPU', 2)),
            required=('CUSTOM_ALPHA', 'CUSTOM_ZETA'),
            config=(('a', '1'), ('b', '2')),
        )

    def test_the_form_of_the_api_reads_as_the_same_group(self):
        group = model.parse_group(GROUP)

        assert group.as_dict() == {
            'resources': {'CUSTOM_FPGA_GZIP': 1},
            'required': ['CUSTOM_SOME_FOO_CAPABILITY'],
            'forbidden': ['CUSTOM_OTHER'],
            'config': {'key1': 'val1'},
        }
        assert model.parse_group(group.as_dict()) == group

    def test_the_form_of_a_profile_reads_as_the_same_group(self):
        group = model.parse_group(GROUP)

        assert group.as_profile_group() == {
            'resources:CUSTOM_FPGA_GZIP': '1',
            'trait:CUSTOM_SOME_FOO_CAPABILITY': 'required',
            'trait:CUSTOM_OTHER': 'forbidden',
            'accel:key1': 'val1',
        }
        assert model.group_from_profile(group.as_profile_group()) == group

    def test_only_resources_are_needed(self):
        group = model.parse_group({'resources': {'FPGA': 1}})

        assert group == model.Group(resources=(('FPGA', 1),))

    @pytest.mark.parametrize('item', [None, 'FPGA', 1, ['resources']])
    def test_a_group_is_an_object(self, item):
        assert refused(model.parse_group, item)[0] == 'group'

    def test_an_unknown_field_is_named(self):
        field, sentence = refused(
            model.parse_group, {**GROUP, 'traits': []}, 'groups[1].'
        )

        assert field == 'groups[1].traits'
        assert 'no such field' in sentence

    def test_a_field_that_is_no_string_is_unknown(self):
        assert refused(model.parse_group, {**GROUP, 7: 1})[0] == '7'

    @pytest.mark.parametrize(
        ('required', 'resources', 'count'),
        [
            ([], {'FPGA': 1}, 1),
            ([], {'FPGA': 2, 'FPGA_GZIP': 3}, 5),
            (['FPGA_XILINX'], {'FPGA': 2}, 4),
        ],
    )
    def test_accelerators_are_counted_as_cyborg_does(
        self, required, resources, count
    ):
        group = model.parse_group(
            {'resources': resources, 'required': required}
        )

        assert group.accelerator_count == count


class TestGroups:
    def test_groups_keep_their_order(self):
        classes = ['FPGA', 'VGPU', 'A', 'PGPU']

        groups = model.parse_groups(
            [{'resources': {name: 1}} for name in classes]
        )

        assert [group.resources[0][0] for group in groups] == [
            'FPGA',
            'VGPU',
            'CUSTOM_A',
            'PGPU',
        ]

    @pytest.mark.parametrize('items', [None, [], (), {}, 'groups', 3, GROUP])
    def test_one_group_is_needed(self, items):
        assert refused(model.parse_groups, items)[0] == 'groups'

    def test_the_number_of_groups_is_bounded(self):
        assert len(model.parse_groups([GROUP] * model.MAX_GROUPS)) == 16

        field, sentence = refused(
            model.parse_groups, [GROUP] * (model.MAX_GROUPS + 1)
        )

        assert field == 'groups'
        assert '17 groups are given, 16 are allowed' in sentence

    def test_the_wrong_one_of_several_groups_is_named(self):
        groups = [GROUP, {'resources': {'FPGA': 0}}]

        assert refused(model.parse_groups, groups)[0] == (
            'groups[1].resources.FPGA'
        )


class TestStoredSize:
    """Each limit is kept, and all together are too much for a column."""

    def groups(self, number):
        value = 'v' * model.MAX_CONFIG_VALUE_LENGTH
        config = {f'key{n}': value for n in range(31)}
        return [{**GROUP, 'config': config}] * number

    def test_what_fits_is_taken(self):
        assert len(model.parse_groups(self.groups(2))) == 2

    def test_what_does_not_fit_is_refused(self):
        field, sentence = refused(model.parse_groups, self.groups(3))

        assert field == 'groups'
        assert f'{model.MAX_STORED_SIZE} are allowed' in sentence


class TestAmounts:
    @pytest.mark.parametrize('amount', [1, 2, model.MAX_AMOUNT])
    def test_amounts_that_are_allowed(self, amount):
        group = model.parse_group({'resources': {'FPGA': amount}})

        assert group.resources == (('FPGA', amount),)

    @pytest.mark.parametrize(
        'amount',
        [0, -1, True, False, '1', '', 1.0, 1.5, None, [1], 2**31, 10**30],
    )
    def test_amounts_that_are_refused(self, amount):
        assert refused_field(resources={'FPGA': amount}) == 'resources.FPGA'

    @pytest.mark.parametrize('resources', [{}, None, [], 'FPGA:1', 1])
    def test_one_resource_is_needed(self, resources):
        assert refused_field(resources=resources) == 'resources'
        assert refused(model.parse_group, {})[0] == 'resources'

    def test_the_number_of_classes_is_bounded(self):
        allowed = {f'C{n}': 1 for n in range(model.MAX_RESOURCE_CLASSES)}

        assert len(model.parse_group({'resources': allowed}).resources) == 8
        assert refused_field(resources={**allowed, 'D': 1}) == 'resources'

    @pytest.mark.parametrize('other', ['CUSTOM_GZIP', 'gzip'])
    def test_a_class_under_two_names_is_given_twice(self, other):
        field, sentence = refused(
            model.parse_group, {'resources': {'GZIP': 1, other: 2}}
        )

        assert field == 'resources'
        assert 'CUSTOM_GZIP is given twice' in sentence


class TestNames:
    @pytest.mark.parametrize(
        ('name', 'full'),
        [
            ('FPGA', 'FPGA'),
            ('VGPU', 'VGPU'),
            ('PGPU', 'PGPU'),
            ('vgpu', 'VGPU'),
            ('FPGA_GZIP', 'CUSTOM_FPGA_GZIP'),
            ('CUSTOM_FPGA_GZIP', 'CUSTOM_FPGA_GZIP'),
            ('custom_gzip', 'CUSTOM_GZIP'),
            ('7ZIP', 'CUSTOM_7ZIP'),
        ],
    )
    def test_resource_classes(self, name, full):
        assert model.resource_class_name(name, 'resources') == full

    def test_standard_classes_of_other_things_are_refused(self):
        others = set(os_resource_classes.STANDARDS) - model.ACCELERATOR_CLASSES

        assert {'VCPU', 'MEMORY_MB', 'PCPU', 'DISK_GB'} < others
        for name in others:
            field, sentence = refused(
                model.resource_class_name, name, 'resources'
            )
            assert field == 'resources'
            assert f'{name} is not the resource class of an' in sentence

    @pytest.mark.parametrize(
        ('name', 'full'),
        [
            ('HW_GPU_API_VULKAN', 'HW_GPU_API_VULKAN'),
            ('hw_gpu_api_vulkan', 'HW_GPU_API_VULKAN'),
            ('SOME_FOO_CAPABILITY', 'CUSTOM_SOME_FOO_CAPABILITY'),
            ('CUSTOM_SOME_FOO', 'CUSTOM_SOME_FOO'),
        ],
    )
    def test_traits(self, name, full):
        assert model.trait_name(name, 'required') == full

    @pytest.mark.parametrize(
        'name',
        [
            '',
            ' ',
            'A' * 256,
            'Ä',
            'FPGA GZIP',
            ' FPGA',
            'FPGA\n',
            'FPGA-GZIP',
            'FPGA:1',
            '\N{LATIN SMALL LIGATURE FF}',
            '\N{FULLWIDTH DIGIT ONE}',
            'CUSTOM_',
            None,
            1,
            True,
            ['FPGA'],
        ],
    )
    @pytest.mark.parametrize(
        'call', [model.resource_class_name, model.trait_name]
    )
    def test_names_that_are_refused(self, call, name):
        assert refused(call, name, 'here')[0] == 'here'

    @pytest.mark.parametrize(
        'call', [model.resource_class_name, model.trait_name]
    )
    def test_the_prefix_counts_for_the_length(self, call):
        longest = 'A' * (255 - len('CUSTOM_'))

        assert call(longest, 'here') == f'CUSTOM_{longest}'
        assert call('CUSTOM_' + longest, 'here') == f'CUSTOM_{longest}'
        field, sentence = refused(call, longest + 'A', 'here')
        assert field == 'here'
        assert 'longer than 255 characters' in sentence


class TestTraits:
    @pytest.mark.parametrize('field', ['required', 'forbidden'])
    @pytest.mark.parametrize('traits', [None, 'FOO', {'FOO': 1}, 1])
    def test_traits_are_a_list(self, field, traits):
        assert refused_field(**{field: traits}) == field

    @pytest.mark.parametrize('field', ['required', 'forbidden'])
    def test_the_number_of_traits_is_bounded(self, field):
        other = {'required': [], 'forbidden': []}
        allowed = [f'T{n}' for n in range(model.MAX_TRAITS)]

        model.parse_group({**GROUP, **other, field: allowed})

        assert refused_field(**{**other, field: [*allowed, 'U']}) == field

    @pytest.mark.parametrize(
        ('required', 'forbidden'),
        [
            ('FOO', 'FOO'),
            ('FOO', 'CUSTOM_FOO'),
            ('foo', 'FOO'),
            ('HW_GPU_API_VULKAN', 'hw_gpu_api_vulkan'),
        ],
    )
    def test_a_trait_is_not_both_required_and_forbidden(
        self, required, forbidden
    ):
        group = {**GROUP, 'required': [required], 'forbidden': [forbidden]}

        field, sentence = refused(model.parse_group, group)

        assert field == 'forbidden'
        assert 'both required and forbidden' in sentence


class TestConfig:
    def test_what_is_allowed(self):
        config = {
            'k': '',
            'a.B_c:d-9': ' !~',
            'l' * model.MAX_CONFIG_KEY_LENGTH: 'x'
            * model.MAX_CONFIG_VALUE_LENGTH,
        }

        group = model.parse_group({**GROUP, 'config': config})

        assert dict(group.config) == config

    @pytest.mark.parametrize('config', [None, [], 'key=value', 1])
    def test_config_is_an_object(self, config):
        assert refused_field(config=config) == 'config'

    @pytest.mark.parametrize(
        'key', ['', ' ', 'a b', 'a=b', 'ä', 'a\n', 'k' * 129, 1, None]
    )
    def test_keys_that_are_refused(self, key):
        assert refused_field(config={key: 'value'}) == 'config'

    @pytest.mark.parametrize(
        'value', [1, True, None, ['a'], 'ä', 'a\nb', 'a\n', 'v' * 1025]
    )
    def test_values_that_are_refused(self, value):
        assert refused_field(config={'key': value}) == 'config.key'

    def test_a_refusal_does_not_tell_the_value(self):
        group = {**GROUP, 'config': {'password': 'secret\n'}}

        assert 'secret' not in refused(model.parse_group, group)[1]

    def test_the_number_of_keys_is_bounded(self):
        allowed = {f'k{n}': '' for n in range(model.MAX_CONFIG_KEYS)}

        model.parse_group({**GROUP, 'config': allowed})

        assert refused_field(config={**allowed, 'more': ''}) == 'config'


class TestProfile:
    def test_a_profile_of_cyborg_is_read(self):
        group = model.group_from_profile(
            {
                'resources:FPGA': '2',
                'trait: CUSTOM_A ': 'required',
                'trait:CUSTOM_B': 'forbidden',
                'accel:bitstream_id': 'd5ca2f11-3108-4426-a11c-a959987565df',
            }
        )

        assert group.as_dict() == {
            'resources': {'FPGA': 2},
            'required': ['CUSTOM_A'],
            'forbidden': ['CUSTOM_B'],
            'config': {'bitstream_id': 'd5ca2f11-3108-4426-a11c-a959987565df'},
        }

    @pytest.mark.parametrize(
        ('key', 'value'),
        [
            ('resources:FPGA', 'two'),
            ('resources:FPGA', '-1'),
            ('resources:FPGA', '²'),
            ('trait:CUSTOM_A', 'preferred'),
            ('hw:pci', '1'),
            ('FPGA', '1'),
        ],
    )
    def test_an_entry_that_is_not_understood_is_named(self, key, value):
        field, sentence = refused(model.group_from_profile, {key: value})

        assert field == 'device_profile'
        assert key in sentence

    @pytest.mark.parametrize('resources', [{}, {'resources:FPGA': '0'}])
    def test_what_a_context_cannot_have_is_refused(self, resources):
        field, _sentence = refused(model.group_from_profile, resources)

        assert field.startswith('device_profile: resources')


class TestProfileName:
    def test_it_is_a_name_that_cyborg_takes(self):
        name = model.profile_name(model.parse_groups([GROUP]))

        assert name.startswith(model.PROFILE_PREFIX)
        assert len(name) == 44
        assert name.replace('-', '').isalnum()

    def test_it_stays_the_same_in_all_releases(self):
        # ARQs of servers that run refer to it.
        assert model.profile_name(model.parse_groups([GROUP])) == (
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
            names.add(model.profile_name(model.parse_groups([group])))

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
        assert model.profile_name(
            model.parse_groups([GROUP])
        ) != model.profile_name(model.parse_groups(other))


class TestRequesterId:
    @pytest.mark.parametrize('group', [0, 1, model.MAX_GROUPS - 1])
    def test_it_is_read_as_it_was_written(self, group):
        requester = model.requester_id(CONTEXT_ID, group)

        assert requester == f'device_context_{CONTEXT_ID}_{group}'
        assert len(requester) <= 64
        assert model.parse_requester_id(requester) == (CONTEXT_ID, group)

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
            'slot': '0000:0c:1f.7',
        }


def device_context(states=(), **fields):
    return model.DeviceContext(
        uuid=CONTEXT_ID,
        project_id='project',
        user_id='user',
        groups=(),
        devices=tuple(device(state, host='compute1') for state in states),
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
        found = device_context(states, server_id=server_id, fault=fault)

        assert found.status == status
        assert status in model.Status.ALL

    def test_the_host_is_that_of_its_devices(self):
        assert device_context(['Initial']).host == 'compute1'
        assert device_context().host is None
