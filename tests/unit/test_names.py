# SPDX-License-Identifier: Apache-2.0

"""The request language: what is accepted, what is refused, what it says."""

import os_resource_classes
import pytest

from nova_cyborg import exception, names


def refused(call, *args, **kwargs):
    """Return field and sentence of the refusal."""
    with pytest.raises(exception.InvalidRequest) as info:
        call(*args, **kwargs)
    return info.value.kwargs['field'], str(info.value)


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
        assert names.resource_class_name(name, 'resources') == full

    def test_standard_classes_of_other_things_are_refused(self):
        others = set(os_resource_classes.STANDARDS) - names.ACCELERATOR_CLASSES

        assert {'VCPU', 'MEMORY_MB', 'PCPU', 'DISK_GB'} < others
        for name in others:
            field, sentence = refused(
                names.resource_class_name, name, 'resources'
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
        assert names.trait_name(name, 'required') == full

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
        'call', [names.resource_class_name, names.trait_name]
    )
    def test_names_that_are_refused(self, call, name):
        assert refused(call, name, 'here')[0] == 'here'

    @pytest.mark.parametrize(
        'call', [names.resource_class_name, names.trait_name]
    )
    def test_the_prefix_counts_for_the_length(self, call):
        longest = 'A' * (255 - len('CUSTOM_'))

        assert call(longest, 'here') == f'CUSTOM_{longest}'
        assert call('CUSTOM_' + longest, 'here') == f'CUSTOM_{longest}'
        field, sentence = refused(call, longest + 'A', 'here')
        assert field == 'here'
        assert 'longer than 255 characters' in sentence
