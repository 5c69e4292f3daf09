# SPDX-License-Identifier: Apache-2.0

"""The request language: what is accepted, what is refused, what it says."""

import pytest

from nova_cyborg import exception, language, model

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
    return refused(language.parse_group, {**GROUP, **fields})[0]


class TestGroup:
    def test_a_group_is_normalised(self):
        group = language.parse_group(
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
        group = language.parse_group(GROUP)

        assert group.as_dict() == {
            'resources': {'CUSTOM_FPGA_GZIP': 1},
            'required': ['CUSTOM_SOME_FOO_CAPABILITY'],
            'forbidden': ['CUSTOM_OTHER'],
            'config': {'key1': 'val1'},
            'tolerated': [],
        }
        assert language.parse_group(group.as_dict()) == group

    def test_the_form_of_a_profile_reads_as_the_same_group(self):
        group = language.parse_group(GROUP)

        assert group.as_profile_group() == {
            'resources:CUSTOM_FPGA_GZIP': '1',
            'trait:CUSTOM_SOME_FOO_CAPABILITY': 'required',
            'trait:CUSTOM_OTHER': 'forbidden',
            'accel:key1': 'val1',
        }
        assert language.group_from_profile(group.as_profile_group()) == group

    def test_only_resources_are_needed(self):
        group = language.parse_group({'resources': {'FPGA': 1}})

        assert group == model.Group(resources=(('FPGA', 1),))

    @pytest.mark.parametrize('item', [None, 'FPGA', 1, ['resources']])
    def test_a_group_is_an_object(self, item):
        assert refused(language.parse_group, item)[0] == 'group'

    def test_an_unknown_field_is_named(self):
        field, sentence = refused(
            language.parse_group, {**GROUP, 'traits': []}, 'groups[1].'
        )

        assert field == 'groups[1].traits'
        assert 'no such field' in sentence

    def test_a_field_that_is_no_string_is_unknown(self):
        assert refused(language.parse_group, {**GROUP, 7: 1})[0] == '7'

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
        group = language.parse_group(
            {'resources': resources, 'required': required}
        )

        assert group.accelerator_count == count


class TestGroups:
    def test_groups_keep_their_order(self):
        classes = ['FPGA', 'VGPU', 'A', 'PGPU']

        groups = language.parse_groups(
            [{'resources': {name: 1}} for name in classes]
        )

        assert [group.alternatives[0].resources[0][0] for group in groups] == [
            'FPGA',
            'VGPU',
            'CUSTOM_A',
            'PGPU',
        ]

    @pytest.mark.parametrize('items', [None, [], (), {}, 'groups', 3, GROUP])
    def test_one_group_is_needed(self, items):
        assert refused(language.parse_groups, items)[0] == 'groups'

    def test_the_number_of_groups_is_bounded(self):
        assert len(language.parse_groups([GROUP] * language.MAX_GROUPS)) == 16

        field, sentence = refused(
            language.parse_groups, [GROUP] * (language.MAX_GROUPS + 1)
        )

        assert field == 'groups'
        assert '17 groups are given, 16 are allowed' in sentence

    def test_the_wrong_one_of_several_groups_is_named(self):
        groups = [GROUP, {'resources': {'FPGA': 0}}]

        assert refused(language.parse_groups, groups)[0] == (
            'groups[1].resources.FPGA'
        )


OTHER = {'resources': {'VGPU': 1}}


class TestAlternatives:
    def of(self, *counts):
        """Return groups with so many alternatives."""
        return [{'first_available': [OTHER] * count} for count in counts]

    def test_they_keep_their_order(self):
        (group,) = language.parse_groups([{'first_available': [GROUP, OTHER]}])

        assert group.alternatives == (
            language.parse_group(GROUP),
            language.parse_group(OTHER),
        )

    def test_one_is_a_group_as_any(self):
        assert language.parse_groups(self.of(1)) == (
            language.parse_groups([OTHER])
        )

    @pytest.mark.parametrize('items', [None, [], (), {}, 'groups', 3, GROUP])
    def test_one_is_needed(self, items):
        field, sentence = refused(
            language.parse_groups, [GROUP, {'first_available': items}]
        )

        assert field == 'groups[1].first_available'
        assert 'must be a list of one group at least' in sentence

    def test_the_wrong_one_of_several_is_named(self):
        items = [GROUP, {'resources': {'FPGA': 0}}]

        assert refused(language.parse_groups, [{'first_available': items}])[
            0
        ] == ('groups[0].first_available[1].resources.FPGA')

    @pytest.mark.parametrize('item', [None, 7, [], 'FPGA:1'])
    def test_what_is_no_group(self, item):
        assert refused(language.parse_groups, [{'first_available': [item]}])[
            0
        ] == ('groups[0].first_available[0]')

    @pytest.mark.parametrize(
        ('beside', 'reason'),
        [
            ('config', 'cannot be given together with first_available'),
            ('chosen', 'there is no such field'),
        ],
    )
    def test_nothing_stands_beside_them(self, beside, reason):
        item = {**self.of(2)[0], beside: {}}

        field, sentence = refused(language.parse_groups, [item])

        assert field == f'groups[0].{beside}'
        assert reason in sentence

    def test_they_have_none_themselves(self):
        items = [{'first_available': self.of(2)}]

        assert refused(language.parse_groups, items)[0] == (
            'groups[0].first_available[0].first_available'
        )

    def test_their_number_is_bounded(self):
        language.parse_groups(self.of(language.MAX_ALTERNATIVES))

        field, sentence = refused(
            language.parse_groups, self.of(language.MAX_ALTERNATIVES + 1)
        )

        assert field == 'groups[0].first_available'
        assert '9 alternatives are given, 8 are allowed' in sentence

    @pytest.mark.parametrize('counts', [(8, 2), (2, 2, 2, 2), (4, 1, 4)])
    def test_combinations_that_are_allowed(self, counts):
        assert len(language.parse_groups(self.of(*counts))) == len(counts)

    @pytest.mark.parametrize('counts', [(8, 3), (2,) * 5, (8,) * 16])
    def test_their_combinations_are_bounded(self, counts):
        field, sentence = refused(language.parse_groups, self.of(*counts))

        assert field == 'groups'
        assert 'combinations, 16 are allowed' in sentence

    @pytest.mark.parametrize('large', [(1,), (0, 1)])
    def test_what_all_of_them_take_to_store_is_bounded(self, large):
        value = 'v' * language.MAX_CONFIG_VALUE_LENGTH
        config = {f'key{n}': value for n in range(31)}
        items = [GROUP, GROUP]
        for number in large:
            items[number] = {**GROUP, 'config': config}
        groups = [{'first_available': items}]
        language.parse_groups(groups)

        field, sentence = refused(language.parse_groups, groups * 3)

        assert field == 'groups'
        assert f'{language.MAX_STORED_SIZE} are allowed' in sentence


class TestStoredSize:
    """Each limit is kept, and all together are too much for a column."""

    def groups(self, number):
        value = 'v' * language.MAX_CONFIG_VALUE_LENGTH
        config = {f'key{n}': value for n in range(31)}
        return [{**GROUP, 'config': config}] * number

    def test_what_fits_is_taken(self):
        assert len(language.parse_groups(self.groups(2))) == 2

    def test_what_does_not_fit_is_refused(self):
        field, sentence = refused(language.parse_groups, self.groups(3))

        assert field == 'groups'
        assert f'{language.MAX_STORED_SIZE} are allowed' in sentence


class TestAmounts:
    @pytest.mark.parametrize('amount', [1, 2, model.MAX_AMOUNT])
    def test_amounts_that_are_allowed(self, amount):
        group = language.parse_group({'resources': {'FPGA': amount}})

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
        assert refused(language.parse_group, {})[0] == 'resources'

    def test_the_number_of_classes_is_bounded(self):
        allowed = {f'C{n}': 1 for n in range(language.MAX_RESOURCE_CLASSES)}

        assert len(language.parse_group({'resources': allowed}).resources) == 8
        assert refused_field(resources={**allowed, 'D': 1}) == 'resources'

    @pytest.mark.parametrize('other', ['CUSTOM_GZIP', 'gzip'])
    def test_a_class_under_two_names_is_given_twice(self, other):
        field, sentence = refused(
            language.parse_group, {'resources': {'GZIP': 1, other: 2}}
        )

        assert field == 'resources'
        assert 'CUSTOM_GZIP is given twice' in sentence


class TestTraits:
    @pytest.mark.parametrize('field', ['required', 'forbidden'])
    @pytest.mark.parametrize('traits', [None, 'FOO', {'FOO': 1}, 1])
    def test_traits_are_a_list(self, field, traits):
        assert refused_field(**{field: traits}) == field

    @pytest.mark.parametrize('field', ['required', 'forbidden'])
    def test_the_number_of_traits_is_bounded(self, field):
        other = {'required': [], 'forbidden': []}
        allowed = [f'T{n}' for n in range(language.MAX_TRAITS)]

        language.parse_group({**GROUP, **other, field: allowed})

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

        field, sentence = refused(language.parse_group, group)

        assert field == 'forbidden'
        assert 'both required and forbidden' in sentence


class TestConfig:
    def test_what_is_allowed(self):
        config = {
            'k': '',
            'a.B_c:d-9': ' !~',
            'l' * language.MAX_CONFIG_KEY_LENGTH: 'x'
            * language.MAX_CONFIG_VALUE_LENGTH,
        }

        group = language.parse_group({**GROUP, 'config': config})

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

        assert 'secret' not in refused(language.parse_group, group)[1]

    def test_the_number_of_keys_is_bounded(self):
        allowed = {f'k{n}': '' for n in range(language.MAX_CONFIG_KEYS)}

        language.parse_group({**GROUP, 'config': allowed})

        assert refused_field(config={**allowed, 'more': ''}) == 'config'


class TestProfile:
    def test_a_profile_of_cyborg_is_read(self):
        group = language.group_from_profile(
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
            'tolerated': [],
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
        field, sentence = refused(language.group_from_profile, {key: value})

        assert field == 'device_profile'
        assert key in sentence

    def test_an_amount_too_long_to_read_is_named(self):
        group = {'resources:FPGA': '9' * 5000}

        field, sentence = refused(language.group_from_profile, group)

        assert field == 'device_profile'
        assert 'resources:FPGA' in sentence

    def test_the_number_of_groups_is_bounded(self):
        group = {'resources:FPGA': '1'}
        most = [group] * language.MAX_GROUPS

        assert len(language.groups_from_profile(most, 'gzip')) == 16
        assert refused(
            language.groups_from_profile, [*most, group], 'gzip'
        ) == (
            'device_profile',
            'Invalid device_profile: 17 groups of profile gzip are given, 16 '
            'are allowed.',
        )

    @pytest.mark.parametrize('resources', [{}, {'resources:FPGA': '0'}])
    def test_what_a_context_cannot_have_is_refused(self, resources):
        field, _sentence = refused(language.group_from_profile, resources)

        assert field.startswith('device_profile: resources')


class TestTolerated:
    def test_keys_are_sorted_and_each_is_there_once(self):
        group = language.parse_group({**GROUP, 'tolerated': ['b', 'a-1', 'b']})

        assert group.tolerated == ('a-1', 'b')
        assert language.parse_group(group.as_dict()) == group

    @pytest.mark.parametrize(
        'wrong', ['ecc', ['ECC'], ['a_b'], [''], [7], ['a' * 65], ['k'] * 17]
    )
    def test_what_is_none(self, wrong):
        with pytest.raises(exception.InvalidRequest, match='tolerated'):
            language.parse_group({**GROUP, 'tolerated': wrong})

    def test_what_is_not_tolerated_is_forbidden(self):
        group = language.parse_group({**GROUP, 'tolerated': ['a']})

        refusing = group.refusing(['a', 'b-c'])

        assert refusing.forbidden == ('CUSTOM_OTHER', 'CUSTOM_TAINT_B_C')
        assert group.refusing(['a']) is group

    def test_what_is_required_is_not_forbidden(self):
        group = language.parse_group({**GROUP, 'required': ['CUSTOM_TAINT_A']})

        assert group.refusing(['a']) is group

    def test_a_context_of_before_there_were_taints(self):
        stored = language.parse_group(GROUP).as_dict()
        del stored['tolerated']

        assert model.Group.from_dict(stored).tolerated == ()

    def test_it_has_no_hidden_profile_of_its_own(self):
        plain = language.parse_group(GROUP)
        tolerating = language.parse_group({**GROUP, 'tolerated': ['a']})

        assert model.profile_name([plain]) == model.profile_name([tolerating])
