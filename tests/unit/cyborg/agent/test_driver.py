# SPDX-License-Identifier: Apache-2.0

"""The driver: what cyborg-agent is told."""

import dataclasses
import json

import pytest
from cyborg.accelerator.common import utils
from cyborg.accelerator.drivers import driver as cyborg_driver
from cyborg.conf import CONF
from oslo_config import fixture as config_fixture

from nova_cyborg import conf, exception
from nova_cyborg.cyborg.agent import cleaning, driver

GZIP = """
devices:
  - address: "0000:0c:00.0"
    vendor: "8086"
    product: "09c4"
    type: FPGA
    resource_class: FPGA_GZIP
    traits: [SOME_FOO_CAPABILITY]
"""
VGPU = """
devices:
  - address: "0000:af:00.0"
    vendor: "10de"
    product: "1eb8"
    type: GPU
    resource_class: VGPU
    handles: {type: MDEV, mdev_type: nvidia-223, number: 3}
"""


@pytest.fixture
def config():
    with config_fixture.Config(CONF) as fixture:
        conf.register_agent_opts(CONF)
        yield fixture


@pytest.fixture
def make(config, tmp_path):
    def _make(content, host='host1', name='devices.yaml'):
        path = tmp_path / name
        path.write_text(content)
        config.config(host=host)
        config.config(group='nova_cyborg', devices_file=str(path))
        return driver.FileDriver(), path

    return _make


def only(items):
    (item,) = items
    return item


def infos(deployable):
    return [json.loads(h.attach_info) for h in deployable.attach_handle_list]


def test_it_is_a_driver_of_cyborg(make):
    file_driver, _path = make(GZIP)

    assert isinstance(file_driver, cyborg_driver.GenericDriver)
    assert file_driver.update('path', 'image') is False
    assert file_driver.get_stats() == {}


def test_a_device_is_reported_as_cyborgs_own_drivers_do(make):
    device = only(make(GZIP)[0].discover())

    assert (device.vendor, device.model) == ('8086', '09c4')
    assert (device.type, device.stub) == ('FPGA', False)
    assert json.loads(device.std_board_info) == {'product_id': '09c4'}
    assert device.controlpath_id.cpid_type == 'PCI'
    assert device.controlpath_id.cpid_info == utils.pci_str_to_json(
        '0000:0c:00.0'
    )


def test_the_conductor_finds_all_that_it_compares(make):
    device = only(make(GZIP)[0].discover())

    for field in ('std_board_info', 'vendor', 'vendor_board_info', 'model'):
        assert device.obj_attr_is_set(field)


def test_a_provider_is_named_after_host_and_address(make):
    deployable = only(only(make(GZIP)[0].discover()).deployable_list)

    assert deployable.name == 'host1_0000:0c:00.0'
    assert deployable.driver_name == 'file_driver'
    assert deployable.num_accelerators == 1


def test_resource_class_and_traits_are_attributes(make):
    deployable = only(only(make(GZIP)[0].discover()).deployable_list)

    assert [(a.key, a.value) for a in deployable.attribute_list] == [
        ('rc', 'CUSTOM_FPGA_GZIP'),
        (
            'trait_CUSTOM_SOME_FOO_CAPABILITY',
            'CUSTOM_SOME_FOO_CAPABILITY',
        ),
        ('trait_OWNER_CYBORG', 'OWNER_CYBORG'),
    ]


def test_a_pci_handle_has_the_parts_of_the_address(make):
    deployable = only(only(make(GZIP)[0].discover()).deployable_list)

    assert only(deployable.attach_handle_list).attach_type == 'PCI'
    assert infos(deployable) == [
        {'domain': '0000', 'bus': '0c', 'device': '00', 'function': '0'}
    ]


def test_virtual_functions_are_a_handle_each(make):
    content = GZIP + '    handles: {number: 8}\n'
    deployable = only(only(make(content)[0].discover()).deployable_list)

    assert deployable.num_accelerators == 8
    found = [(i['device'], i['function']) for i in infos(deployable)]
    assert found == [('00', str(n)) for n in range(1, 8)] + [('01', '0')]


def test_mediated_devices_are_told_apart(make):
    deployable = only(only(make(VGPU)[0].discover()).deployable_list)
    handles = deployable.attach_handle_list

    assert deployable.num_accelerators == 3
    assert {h.attach_type for h in handles} == {'MDEV'}
    assert len({h.attach_info for h in handles}) == 3
    assert infos(deployable)[2] == {
        'domain': '0000',
        'bus': 'af',
        'device': '00',
        'function': '0',
        'asked_type': 'nvidia-223',
        'vgpu_mark': 'nvidia-223_2',
    }


def test_the_longest_handle_fits_cyborgs_column(make):
    content = VGPU.replace('nvidia-223', 'a' * 64).replace('3}', '256}')
    deployable = only(only(make(content)[0].discover()).deployable_list)

    longest = max(len(h.attach_info) for h in deployable.attach_handle_list)
    assert longest <= 255


def test_each_discovery_makes_new_objects(make):
    file_driver, _path = make(GZIP)

    first, second = file_driver.discover(), file_driver.discover()

    assert first[0] is not second[0]
    assert first[0].obj_to_primitive() == second[0].obj_to_primitive()


def test_agents_of_one_process_have_their_own_file_and_host(make):
    first, _path = make(GZIP, host='host1', name='1.yaml')
    second, _path = make(VGPU, host='host2', name='2.yaml')

    names = [
        only(only(found.discover()).deployable_list).name
        for found in (first, second)
    ]

    assert names == ['host1_0000:0c:00.0', 'host2_0000:af:00.0']


def test_a_change_of_the_file_is_reported(make):
    file_driver, path = make(GZIP)
    path.write_text('devices: []')

    assert file_driver.discover() == []


def test_a_file_that_became_bad_keeps_the_devices(make):
    file_driver, path = make(GZIP)
    path.write_text('devices: [')

    assert len(file_driver.discover()) == 1


def test_a_bad_file_stops_the_agent(make):
    with pytest.raises(exception.InvalidDevicesFile, match='is not YAML'):
        make('devices: [')


class TestCleaning:
    CONTENT = GZIP + '    cleaning: {program: ["/bin/true"], timeout: 7}\n'

    @pytest.fixture
    def slot(self, config, tmp_path):
        config.config(state_path=str(tmp_path))
        return cleaning.Slot(
            handle_id='handle',
            cleaning_id='cleaning',
            deployable='host1_0000:0c:00.0',
            attach_type='PCI',
            attach_info=utils.pci_str_to_json('0000:0c:00.0'),
        )

    def test_it_is_reported(self, make):
        deployable = only(
            only(make(self.CONTENT)[0].discover()).deployable_list
        )

        assert ('cleaning', '7') in [
            (each.key, each.value) for each in deployable.attribute_list
        ]

    def test_the_program_gets_the_address_of_the_slot(
        self, make, slot, monkeypatch, tmp_path
    ):
        called = []
        monkeypatch.setattr(
            driver.program, 'run', lambda *arguments: called.append(arguments)
        )

        assert make(self.CONTENT)[0].clean(slot)

        folder = tmp_path / 'nova_cyborg' / 'cleaning'
        assert called == [
            (
                ['/bin/true', '0000:0c:00.0'],
                7,
                folder / 'host1_0000:0c:00.0_0000:0c:00.0.lock',
            )
        ]

    def test_a_device_of_another_driver(self, make, slot):
        assert not make(VGPU)[0].clean(slot)
        # That of another agent in the process.
        assert not make(self.CONTENT, host='host2')[0].clean(slot)

    def test_a_slot_that_the_device_has_not(self, make, slot):
        other = utils.pci_str_to_json('0000:0c:00.1')

        with pytest.raises(exception.CleaningFailed, match='no such slot'):
            make(self.CONTENT)[0].clean(
                dataclasses.replace(slot, attach_info=other)
            )

    def test_a_device_that_is_not_cleaned_any_more(self, make, slot):
        with pytest.raises(exception.CleaningFailed, match='no program'):
            make(GZIP)[0].clean(slot)
