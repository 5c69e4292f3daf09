# SPDX-License-Identifier: Apache-2.0

"""The devices file as a whole: what is read, said and kept."""

import logging
import pathlib
import textwrap

import pytest

from nova_cyborg import exception
from nova_cyborg.cyborg.agent import devices_file

SAMPLE = (
    pathlib.Path(__file__).parents[4] / 'etc/nova-cyborg/devices.yaml.sample'
)


def entry(address, more=''):
    return (
        f'- {{address: "{address}", vendor: "8086", product: "09c4",'
        f' type: FPGA, resource_class: FPGA{more}}}\n'
    )


def listing(*entries):
    return 'devices:\n' + ''.join(entries)


ONE = listing(entry('0000:0c:00.0'))
TWO = listing(entry('0000:0c:00.0'), entry('0000:0d:00.0'))


def parse(content):
    return devices_file.parse('d.yaml', content.encode())


def refused(content):
    with pytest.raises(exception.InvalidDevicesFile) as caught:
        parse(content)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / 'devices.yaml'
    file.write_text(ONE)
    return file


def addresses(file):
    return [device.address for device in file.devices()]


def errors(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == 'ERROR']


# What is read


def test_devices_are_read_in_the_order_of_the_file():
    found = parse(listing(entry('0000:0d:00.0'), entry('0000:0c:00.0')))

    assert [d.address for d in found] == ['0000:0d:00.0', '0000:0c:00.0']


def test_a_file_may_say_that_there_are_no_devices():
    assert parse('devices: []') == ()


def test_the_sample_file_is_good():
    found = devices_file.parse(str(SAMPLE), SAMPLE.read_bytes())

    assert [(d.handles.type, len(d.handles.addresses)) for d in found] == [
        ('PCI', 1),
        ('PCI', 4),
        ('PCI', 2),
        ('MDEV', 8),
    ]


# What is refused, naming file, entry and field


def test_the_entry_and_the_field_are_named():
    content = listing(entry('0000:0c:00.0'), entry('0000:0d:00.0', ', x: 1'))

    assert refused(content).startswith(
        'Devices file d.yaml, device 2 (0000:0d:00.0): entry: there is no '
        "field 'x'"
    )


@pytest.mark.parametrize(
    ('item', 'name'),
    [
        ('- text\n', 'device 1: entry'),
        ('- {address: 0000:12:00.0}\n', 'device 1: entry'),
        (entry('z' * 40), 'device 1 (zzzzzzzzzzzzzzzz): address'),
        (entry('0000:0c:00.0', ', handles: {number: 0}'), 'handles.number'),
        (entry('0000:0c:00.0', ', traits: [A-B]'), 'traits, item 1'),
    ],
)
def test_an_entry_without_an_address_is_named_by_its_number(item, name):
    assert name in refused(listing(item))


def test_an_address_of_two_devices_is_refused():
    content = listing(entry('0000:0c:0a.0'), entry('0000:0C:0A.0'))

    assert refused(content) == (
        'Devices file d.yaml, device 2 (0000:0C:0A.0): address: 0000:0c:0a.0 '
        'belongs to device 1 (0000:0c:0a.0) already.'
    )


def test_a_device_that_is_a_slot_of_another_is_refused():
    content = listing(
        entry('0000:0c:00.0', ', handles: {number: 4}'),
        entry('0000:0c:00.3'),
    )

    assert refused(content).endswith(
        'device 2 (0000:0c:00.3): address: 0000:0c:00.3 belongs to device 1 '
        '(0000:0c:00.0) already.'
    )


def test_a_slot_of_two_devices_is_refused():
    content = listing(
        entry('0000:0c:00.0', ', handles: {number: 2}'),
        entry('0000:0d:00.0', ', handles: {addresses: ["0000:0c:00.2"]}'),
    )

    assert 'handles: 0000:0c:00.2 belongs to device 1' in refused(content)


@pytest.mark.parametrize(
    'content',
    [
        '',
        '# nothing\n',
        'text',
        '[]',
        'device: []',
        'devices: []\nmore: 1',
        '{}',
        '{1: 2}',
    ],
)
def test_a_file_with_other_fields_is_refused(content):
    assert 'the file: must have one field, "devices"' in refused(content)


@pytest.mark.parametrize('content', ['devices:', 'devices: {}', 'devices: x'])
def test_devices_that_are_no_list_are_refused(content):
    assert 'devices: must be a list' in refused(content)


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        ('devices: [', 'line 1'),
        ('devices: []\n x: {', 'line 2'),
        ('a: 2001-99-99', 'month'),
        ('[' * 100_000, 'recursion'),
        ('{[]: 1}', 'unhashable'),
        ('\x00', 'special characters'),
        ('devices: !!python/object/apply:os.getcwd []', 'constructor'),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(content, told):
    message = refused(content)

    assert message.startswith('Devices file d.yaml, the file: is not YAML:')
    assert told in message
    assert '\n' not in message


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(exception.InvalidDevicesFile, match='is not YAML'):
        devices_file.parse('d.yaml', b'devices: \xff')


def test_aliases_cannot_fill_the_memory():
    lines = ['a: &a0 [lol, lol]']
    lines += [f'b{n}: &a{n + 1} [{f"*a{n}, " * 9}]' for n in range(30)]

    assert 'must have one field' in refused('\n'.join(lines))


# Reading it


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(exception.InvalidDevicesFile) as caught:
        devices_file.DevicesFile(str(tmp_path / 'none.yaml'))

    assert 'none.yaml, the file: cannot be read: No such' in str(caught.value)
    assert '[nova_cyborg] devices_file' in str(caught.value)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(exception.InvalidDevicesFile, match='Is a directory'):
        devices_file.DevicesFile(str(tmp_path))


def test_a_file_that_is_too_large_is_refused(path):
    path.write_text(ONE + '#' * devices_file.MAX_SIZE)

    with pytest.raises(exception.InvalidDevicesFile, match='larger than'):
        devices_file.DevicesFile(str(path))


def test_a_bad_file_is_refused_the_first_time(path):
    path.write_text('devices: [')

    with pytest.raises(exception.InvalidDevicesFile, match='not YAML'):
        devices_file.DevicesFile(str(path))


def test_a_change_is_seen(path, caplog):
    caplog.set_level(logging.INFO)
    file = devices_file.DevicesFile(str(path))
    assert addresses(file) == ['0000:0c:00.0']

    path.write_text(TWO)

    assert addresses(file) == ['0000:0c:00.0', '0000:0d:00.0']
    assert caplog.messages[-1].endswith('was read again, it lists 2 devices.')


def test_an_unchanged_file_is_not_parsed_again(path):
    file = devices_file.DevicesFile(str(path))

    assert file.devices() is file.devices()


@pytest.mark.parametrize('broken', ['devices: [', '', listing('- 1\n'), None])
def test_a_file_that_became_bad_changes_nothing(path, caplog, broken):
    file = devices_file.DevicesFile(str(path))
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)

    assert [addresses(file) for _again in range(3)] == [['0000:0c:00.0']] * 3
    assert len(errors(caplog)) == 1
    assert errors(caplog)[0].endswith(
        'The 1 devices read before are still reported.'
    )


def test_another_error_is_logged_again(path, caplog):
    file = devices_file.DevicesFile(str(path))
    for content in ('devices: [', '', 'devices: ['):
        path.write_text(content)
        file.devices()

    assert len(errors(caplog)) == 3


@pytest.mark.parametrize('content', [ONE, TWO])
def test_a_mended_file_is_read_and_a_later_error_logged(path, caplog, content):
    caplog.set_level(logging.INFO)
    file = devices_file.DevicesFile(str(path))
    path.write_text('devices: [')
    file.devices()

    path.write_text(content)
    expected = [d.address for d in parse(content)]
    assert addresses(file) == expected
    assert 'was read again' in caplog.messages[-1]

    path.write_text('devices: [')
    assert addresses(file) == expected
    assert len(errors(caplog)) == 2


def test_block_style_is_read_as_well(path):
    path.write_text(
        textwrap.dedent("""\
        devices:
          - address: '0000:0c:00.0'
            vendor: '8086'
            product: 09c4
            type: FPGA
            resource_class: FPGA_GZIP
            handles:
              type: TEST_PCI
        """)
    )

    (device,) = devices_file.DevicesFile(str(path)).devices()

    assert device.resource_class == 'CUSTOM_FPGA_GZIP'
    assert device.handles.type == 'TEST_PCI'
