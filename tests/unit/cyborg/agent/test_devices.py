# SPDX-License-Identifier: Apache-2.0

"""One entry of a devices file: what it may be, and every way to be wrong."""

import pytest

from nova_cyborg import exception
from nova_cyborg.cyborg.agent import devices

ADDRESS = '0000:0c:00.0'


def entry(**changes):
    item = {
        'address': ADDRESS,
        'vendor': '8086',
        'product': '09c4',
        # Cyborg before 2026.2 has not the type that is the default.
        'type': 'FPGA',
        'resource_class': 'FPGA_GZIP',
    }
    item.update(changes)
    return item


def handles(**fields):
    return devices.parse_device(entry(handles=fields)).handles


def refused(item):
    with pytest.raises(exception.InvalidRequest) as caught:
        devices.parse_device(item)
    return caught.value.kwargs['field'], caught.value.kwargs['reason']


# What is read


def test_a_device_with_the_fewest_fields_is_one_whole_card(monkeypatch):
    monkeypatch.setattr(devices.constants, 'DEVICE_TYPE', ('GPU', 'PCI'))
    item = entry()
    del item['type']

    assert devices.parse_device(item) == devices.Device(
        address=ADDRESS,
        vendor='8086',
        product='09c4',
        type='PCI',
        resource_class='CUSTOM_FPGA_GZIP',
        traits=(),
        handles=devices.Handles('PCI', (ADDRESS,)),
    )


def test_names_are_normalised_as_those_of_requests():
    device = devices.parse_device(
        entry(
            address='0000:AF:00.0',
            vendor='10DE',
            product='1EB8',
            type='GPU',
            resource_class='VGPU',
            traits=['foo', 'HW_GPU_API_VULKAN', 'CUSTOM_FOO'],
        )
    )

    assert device.address == '0000:af:00.0'
    assert (device.vendor, device.product) == ('10de', '1eb8')
    assert device.resource_class == 'VGPU'
    assert device.traits == ('CUSTOM_FOO', 'HW_GPU_API_VULKAN')


@pytest.mark.parametrize('kind', ['PCI', 'TEST_PCI'])
def test_several_slots_are_the_functions_after_the_device(kind):
    assert handles(type=kind, number=2) == devices.Handles(
        kind, ('0000:0c:00.1', '0000:0c:00.2')
    )


def test_slots_may_be_listed():
    found = handles(addresses=['0000:0C:01.0', '0000:0d:00.0'])

    assert found.addresses == ('0000:0c:01.0', '0000:0d:00.0')


def test_mediated_devices_are_made_on_the_device_itself():
    assert handles(
        type='MDEV', mdev_type='nvidia-35', number=3
    ) == devices.Handles('MDEV', (ADDRESS,) * 3, 'nvidia-35')


@pytest.mark.parametrize('number', [1, 256])
def test_number_has_bounds_that_are_allowed(number):
    found = handles(type='MDEV', mdev_type='i915-GVTg_V5_4', number=number)

    assert len(found.addresses) == number


def test_a_device_claims_itself_and_its_slots():
    device = devices.parse_device(entry(handles={'number': 2}))

    assert device.claims == {ADDRESS, '0000:0c:00.1', '0000:0c:00.2'}


def test_slots_that_are_cleaned():
    program = ['/usr/bin/sudo', '/usr/local/sbin/reset', '--hard']

    device = devices.parse_device(entry(cleaning={'program': program}))

    assert device.cleaning == devices.Cleaning(tuple(program), 60)
    assert devices.parse_device(entry()).cleaning is None


@pytest.mark.parametrize('timeout', [1, 3600])
def test_the_timeout_has_bounds_that_are_allowed(timeout):
    fields = {'program': ['/bin/true'], 'timeout': timeout}

    device = devices.parse_device(entry(cleaning=fields))

    assert device.cleaning.timeout == timeout


# What is refused


@pytest.mark.parametrize('item', [None, 'text', 7, [], ['address']])
def test_an_entry_that_is_no_mapping_is_refused(item):
    assert refused(item) == ('entry', 'must be fields with their values.')


@pytest.mark.parametrize(
    'field', ['address', 'vendor', 'product', 'resource_class']
)
def test_a_missing_field_is_named(field):
    item = entry()
    del item[field]

    assert refused(item) == ('entry', f'the field {field} is missing.')


@pytest.mark.parametrize('field', ['address', 'traits', 'handles', 'type'])
def test_a_field_without_value_is_named(field):
    assert refused(entry(**{field: None})) == (
        'entry',
        f'the field {field} has no value.',
    )


@pytest.mark.parametrize('field', ['adress', 'number', 7])
def test_an_unknown_field_is_named_with_those_there_are(field):
    where, reason = refused({**entry(), field: 'x'})

    assert where == 'entry'
    assert reason.startswith(f"there is no field '{field}'; there are addr")


@pytest.mark.parametrize(
    ('value', 'told'),
    [
        (720.0, 'reads it as float 720.0, not as text'),
        ('0c:00.0', "'0c:00.0' is no PCI address"),
        ('', "'' is no PCI address"),
        (['0000:0c:00.0'], 'reads it as list'),
    ],
)
def test_a_bad_address_is_refused(value, told):
    where, reason = refused(entry(address=value))

    assert where == 'address'
    assert told in reason
    assert '"0000:0c:00.0"' in reason


@pytest.mark.parametrize('field', ['vendor', 'product'])
@pytest.mark.parametrize(
    ('value', 'told'),
    [
        (8086, 'reads it as int 8086, not as text'),
        ('0x8086', 'not four hexadecimal digits'),
        ('808', 'not four hexadecimal digits'),
        ('intl', 'not four hexadecimal digits'),
        (True, 'reads it as bool True'),
    ],
)
def test_a_bad_pci_id_is_refused(field, value, told):
    where, reason = refused(entry(**{field: value}))

    assert where == field
    assert told in reason


@pytest.mark.parametrize('value', ['TOASTER', 'fpga', '', 7, ['FPGA'], {}])
def test_a_type_that_cyborg_has_not_is_refused(value):
    where, reason = refused(entry(type=value))

    assert where == 'type'
    assert 'AICHIP, FPGA, GPU' in reason


def test_a_release_of_cyborg_without_the_default_type_asks_for_it(monkeypatch):
    monkeypatch.setattr(
        devices.constants, 'DEVICE_TYPE', ('GPU', 'FPGA', 'QAT')
    )

    item = entry()
    del item['type']

    where, reason = refused(item)

    assert where == 'type'
    assert reason.endswith('this release of Cyborg has: FPGA, GPU, QAT.')


@pytest.mark.parametrize('value', ['VCPU', 'A B', '', 7, 'CUSTOM_', ['FPGA']])
def test_a_bad_resource_class_is_refused(value):
    assert refused(entry(resource_class=value))[0] == 'resource_class'


@pytest.mark.parametrize('value', ['FOO', {'FOO': 'required'}, 7])
def test_traits_that_are_no_list_are_refused(value):
    assert refused(entry(traits=value)) == (
        'traits',
        'must be a list of traits.',
    )


@pytest.mark.parametrize('value', ['A-B', '', 7, None, ['FOO'], 'x' * 256])
def test_a_bad_trait_is_named_by_its_place(value):
    assert refused(entry(traits=['FOO', value]))[0] == 'traits, item 2'


def test_too_many_traits_are_refused():
    where, reason = refused(entry(traits=[f'T{n}' for n in range(51)]))

    assert (where, reason) == ('traits', '51 are given, 50 are allowed.')


@pytest.mark.parametrize('value', ['PCI', ['PCI'], 7])
def test_handles_that_are_no_mapping_are_refused(value):
    assert refused(entry(handles=value))[0] == 'handles'


@pytest.mark.parametrize(
    ('fields', 'where', 'told'),
    [
        ({'count': 2}, 'handles', "no field 'count'"),
        ({'number': None}, 'handles', 'number has no value'),
        ({'type': 'USB'}, 'handles.type', 'MDEV, PCI, TEST_PCI'),
        ({'type': 'pci'}, 'handles.type', 'MDEV, PCI, TEST_PCI'),
        ({'number': 0}, 'handles.number', '0 is not between 1 and 256'),
        ({'number': -1}, 'handles.number', '-1 is not between'),
        ({'number': 257}, 'handles.number', '257 is not between'),
        ({'number': '2'}, 'handles.number', 'not a whole number'),
        ({'number': 2.0}, 'handles.number', 'not a whole number'),
        ({'number': True}, 'handles.number', 'not a whole number'),
        ({'number': 256}, 'handles.number', 'List the addresses instead'),
        ({'addresses': []}, 'handles.addresses', 'list of one PCI address'),
        ({'addresses': ADDRESS}, 'handles.addresses', 'list of one PCI'),
        (
            {'addresses': [ADDRESS, '0c:00.1']},
            'handles.addresses, item 2',
            'is no PCI address',
        ),
        (
            {'addresses': ['0000:0c:0a.1', '0000:0C:0A.1']},
            'handles.addresses',
            '0000:0c:0a.1 is given twice',
        ),
        (
            {'addresses': [ADDRESS] * 257},
            'handles.addresses',
            '257 are given, 256 are allowed',
        ),
        (
            {'addresses': [ADDRESS], 'number': 1},
            'handles.number',
            'beside addresses',
        ),
        ({'mdev_type': 'nvidia-35'}, 'handles.mdev_type', 'only for MDEV'),
        (
            {'type': 'TEST_PCI', 'mdev_type': 'nvidia-35'},
            'handles.mdev_type',
            'not for TEST_PCI',
        ),
        ({'type': 'MDEV'}, 'handles.mdev_type', 'is needed for MDEV'),
        (
            {'type': 'MDEV', 'mdev_type': 35},
            'handles.mdev_type',
            'reads it as int',
        ),
        (
            {'type': 'MDEV', 'mdev_type': 'nvidia-35', 'number': 257},
            'handles.number',
            '257 is not between',
        ),
        (
            {
                'type': 'MDEV',
                'mdev_type': 'nvidia-35',
                'addresses': [ADDRESS],
            },
            'handles.addresses',
            'is not for MDEV',
        ),
    ],
)
def test_bad_handles_are_refused(fields, where, told):
    found, reason = refused(entry(handles=fields))

    assert found == where
    assert told in reason


@pytest.mark.parametrize(
    'value', ['../create', 'a/b', '', 'a' * 65, '.', 'x ']
)
def test_an_mdev_type_cannot_lead_elsewhere_in_sysfs(value):
    fields = {'type': 'MDEV', 'mdev_type': value}

    assert refused(entry(handles=fields))[0] == 'handles.mdev_type'


def test_a_message_does_not_repeat_a_huge_value():
    huge = ['lol'] * 10
    for _level in range(9):
        huge = [huge] * 10

    assert len(refused(entry(address=huge))[1]) < 2000
    assert len(refused(entry(handles={'number': huge}))[1]) < 2000


@pytest.mark.parametrize(
    ('fields', 'field'),
    [
        ('/bin/true', 'cleaning'),
        ({}, 'cleaning'),
        ({'program': ['/bin/true'], 'shell': True}, 'cleaning'),
        ({'program': None}, 'cleaning'),
        ({'program': '/bin/true'}, 'cleaning.program'),
        ({'program': []}, 'cleaning.program'),
        ({'program': ['/bin/true'] * 33}, 'cleaning.program'),
        ({'program': ['true']}, 'cleaning.program, item 1'),
        ({'program': ['/bin/true', 7]}, 'cleaning.program, item 2'),
        ({'program': ['/bin/true', 'a\0b']}, 'cleaning.program, item 2'),
        ({'program': ['/bin/' + 'a' * 1024]}, 'cleaning.program, item 1'),
        ({'program': ['/bin/true'], 'timeout': '60'}, 'cleaning.timeout'),
        ({'program': ['/bin/true'], 'timeout': True}, 'cleaning.timeout'),
        ({'program': ['/bin/true'], 'timeout': 0}, 'cleaning.timeout'),
        ({'program': ['/bin/true'], 'timeout': 3601}, 'cleaning.timeout'),
    ],
)
def test_wrong_cleaning_is_refused(fields, field):
    assert refused(entry(cleaning=fields))[0] == field
