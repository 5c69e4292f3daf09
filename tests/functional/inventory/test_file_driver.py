# SPDX-License-Identifier: Apache-2.0

"""What Cyborg's conductor makes of the devices that the driver reports."""

import importlib.metadata
import json
from unittest import mock

import pytest
from cyborg import objects
from cyborg.agent import resource_tracker
from cyborg.common import exception as cyborg_exception
from cyborg.conf import CONF

from nova_cyborg.cyborg.agent import driver
from nova_cyborg.lifecycle import bounds
from tests.functional.inventory.entries import GZIP, VGPU, gzip, vgpu


@pytest.fixture(params=['stock', 'plugin'], autouse=True)
def conductor(request):
    """Run each test with stock Cyborg's conductor, and with the plugin."""
    if request.param == 'plugin':
        request.getfixturevalue('plugin')


def functions(infos):
    return sorted(json.loads(info)['function'] for info in infos)


def test_a_device_appears_in_cyborg_and_placement(cloud):
    cloud.start(gzip())

    (device,) = objects.Device.get_list_by_hostname(cloud.context, 'compute1')
    assert (device.vendor, device.model, device.type) == (
        '8086',
        '09c4',
        'FPGA',
    )
    assert cloud.deployable(GZIP).num_accelerators == 1
    assert cloud.deployable(GZIP).rp_uuid is not None
    assert functions(cloud.handles(GZIP)) == ['0']
    assert cloud.provider(GZIP) == (
        {'CUSTOM_FPGA_GZIP': 1},
        {'CUSTOM_SOME_FOO_CAPABILITY', 'OWNER_CYBORG'},
    )


def test_placement_offers_the_device_to_requests(cloud):
    cloud.start(gzip(handles={'number': 2}))

    found = cloud.placement(
        '/allocation_candidates?resources_X=CUSTOM_FPGA_GZIP:2'
        '&required_X=CUSTOM_SOME_FOO_CAPABILITY'
    )

    (request,) = found['allocation_requests']
    assert request['mappings']['_X'] == [cloud.deployable(GZIP).rp_uuid]


def test_all_devices_of_a_file_appear(cloud):
    cloud.start(gzip(), gzip(address='0000:0d:00.0'), vgpu(3))

    assert cloud.provider('0000:0d:00.0')[0] == {'CUSTOM_FPGA_GZIP': 1}
    assert cloud.provider(VGPU) == ({'VGPU': 3}, {'OWNER_CYBORG'})
    assert len(cloud.handles(VGPU)) == 3


def test_device_contexts_may_ask_for_what_is_reported(cloud):
    assert bounds.of_cloud(cloud.context, 64, []).classes == set()

    cloud.start(gzip(), gzip(address='0000:0d:00.0'), vgpu(3))

    assert bounds.of_cloud(cloud.context, 64, []).classes == {
        'CUSTOM_FPGA_GZIP',
        'VGPU',
    }


@pytest.mark.parametrize(
    'entry', [gzip(), gzip(handles={'number': 4}), vgpu(4)]
)
def test_a_second_report_changes_nothing(cloud, entry):
    file_driver = cloud.start(entry)
    records = cloud.records()
    provider = cloud.provider(entry['address'])

    cloud.report(file_driver)

    assert cloud.records() == records
    assert cloud.provider(entry['address']) == provider


def test_a_restarted_agent_changes_nothing(cloud):
    cloud.start(gzip(), vgpu(2))
    records = cloud.records()

    cloud.report(driver.FileDriver())

    assert cloud.records() == records


@pytest.mark.parametrize(
    ('two', 'four'),
    [
        (gzip(handles={'number': 2}), gzip(handles={'number': 4})),
        (vgpu(2), vgpu(4)),
    ],
)
def test_more_slots_are_added_to_those_there_are(cloud, two, four):
    address = two['address']
    file_driver = cloud.start(two)
    before = cloud.handles(address)

    cloud.devices_file.write(four)
    cloud.report(file_driver)

    after = cloud.handles(address)
    assert len(after) == 4
    assert before.items() <= after.items()
    assert list(cloud.provider(address)[0].values()) == [4]

    cloud.devices_file.write(two)
    cloud.report(file_driver)

    assert cloud.handles(address) == before
    assert list(cloud.provider(address)[0].values()) == [2]


def test_a_removed_device_goes_and_the_others_stay(cloud):
    file_driver = cloud.start(gzip(), vgpu(2))

    cloud.devices_file.write(vgpu(2))
    cloud.report(file_driver)

    assert cloud.deployable(GZIP) is None
    assert cloud.provider(GZIP) is None
    assert cloud.provider(VGPU)[0] == {'VGPU': 2}

    cloud.devices_file.write()
    cloud.report(file_driver)

    assert not any(cloud.records().values())


def test_a_broken_file_removes_no_device(cloud):
    file_driver = cloud.start(gzip())
    records = cloud.records()

    cloud.devices_file.path.write_text('devices: [')
    cloud.report(file_driver)

    assert cloud.records() == records
    assert cloud.provider(GZIP) is not None


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ([], ['A']),
        (['A'], []),
        (['A', 'B', 'C'], ['A', 'C']),
        (['A', 'B'], ['B', 'C']),
        (['B', 'C'], ['A', 'B']),
        (['B', 'C', 'D'], ['A', 'C', 'HW_GPU_API_VULKAN']),
    ],
)
def test_changed_traits_are_those_of_the_provider(cloud, before, after):
    file_driver = cloud.start(gzip(traits=before))

    cloud.devices_file.write(gzip(traits=after))
    cloud.report(file_driver)

    expected = {n if n.startswith('HW_') else f'CUSTOM_{n}' for n in after}
    assert cloud.provider(GZIP)[1] == {*expected, 'OWNER_CYBORG'}


def test_a_trait_may_stay_with_another_device(cloud):
    other = gzip(address='0000:0d:00.0', traits=['A'])
    file_driver = cloud.start(gzip(traits=['A']), other)

    cloud.devices_file.write(gzip(traits=[]), other)
    cloud.report(file_driver)

    assert cloud.provider(GZIP)[1] == {'OWNER_CYBORG'}
    assert cloud.provider('0000:0d:00.0')[1] == {'CUSTOM_A', 'OWNER_CYBORG'}


@pytest.mark.parametrize('name', ['OTHER', 'FPGA'])
def test_another_resource_class_takes_the_place_of_the_first(cloud, name):
    file_driver = cloud.start(gzip())

    cloud.devices_file.write(gzip(resource_class=name, handles={'number': 2}))
    cloud.report(file_driver)

    expected = 'FPGA' if name == 'FPGA' else 'CUSTOM_OTHER'
    assert cloud.provider(GZIP)[0] == {expected: 2}


def test_other_facts_of_a_device_are_changed_in_place(cloud):
    file_driver = cloud.start(gzip())
    rp_uuid = cloud.deployable(GZIP).rp_uuid

    cloud.devices_file.write(gzip(vendor='10ee', product='5000', type='GPU'))
    cloud.report(file_driver)

    (device,) = objects.Device.get_list_by_hostname(cloud.context, 'compute1')
    assert (device.vendor, device.model, device.type) == (
        '10ee',
        '5000',
        'GPU',
    )
    assert cloud.deployable(GZIP).rp_uuid == rp_uuid


# Binding: what a server gets


def test_each_server_gets_a_virtual_function_of_its_own(cloud, agent_rpc):
    cloud.start(gzip(handles={'number': 2}))

    bound = [cloud.bind(GZIP, 'CUSTOM_FPGA_GZIP').arq for _n in range(2)]

    assert {arq.state for arq in bound} == {'Bound'}
    assert {arq.attach_handle_type for arq in bound} == {'PCI'}
    found = [dict(arq.attach_handle_info) for arq in bound]
    assert sorted(info['function'] for info in found) == ['1', '2']
    assert (found[0]['domain'], found[0]['bus']) == ('0000', '0c')
    with pytest.raises(cyborg_exception.ResourceNotFound):
        cloud.bind(GZIP, 'CUSTOM_FPGA_GZIP')


def test_each_server_gets_a_mediated_device_of_its_own(cloud, agent_rpc):
    cloud.start(vgpu(2))

    bound = [cloud.bind(VGPU, 'VGPU').arq for _n in range(2)]

    assert {arq.attach_handle_type for arq in bound} == {'MDEV'}
    assert agent_rpc.create_vgpu_mdev.call_args_list == [
        mock.call(
            mock.ANY, 'compute1', VGPU, 'nvidia-223', arq.attach_handle_uuid
        )
        for arq in bound
    ]
    assert len({arq.attach_handle_uuid for arq in bound}) == 2
    assert bound[0].attach_handle_info['asked_type'] == 'nvidia-223'


def test_a_bound_slot_stays_bound_when_slots_are_added(cloud, agent_rpc):
    file_driver = cloud.start(gzip(handles={'number': 2}))
    before = cloud.bind(GZIP, 'CUSTOM_FPGA_GZIP')

    cloud.devices_file.write(gzip(handles={'number': 4}))
    cloud.report(file_driver)

    after = objects.ExtARQ.get(cloud.context, before.arq.uuid)
    assert after.arq.attach_handle_uuid == before.arq.attach_handle_uuid
    handle = objects.AttachHandle.get(
        cloud.context, after.arq.attach_handle_uuid
    )
    assert handle.in_use


# Loading


def test_the_agent_finds_the_driver_by_its_name(cloud):
    group = 'cyborg.accelerator.driver'
    if driver.NAME not in importlib.metadata.entry_points(group=group).names:
        pytest.skip('nova_cyborg is on the path, but not installed.')
    cloud.devices_file.write(gzip())
    CONF.set_override('enabled_drivers', [driver.NAME], group='agent')

    conductor = mock.Mock(spec=['report_data'])
    tracker = resource_tracker.ResourceTracker('compute1', conductor)
    tracker.update_usage(cloud.context)

    (_context, host, found), _kwargs = conductor.report_data.call_args
    assert host == 'compute1'
    assert [device.model for device in found] == ['09c4']
