# SPDX-License-Identifier: Apache-2.0

"""A device that a report lacks, while a server has one of its slots."""

import pytest
from cyborg import objects
from cyborg.common import exception as cyborg_exception

from nova_cyborg.db.inventory import slots
from tests.functional.inventory.entries import VGPU, card, gzip, vgpu

CARD = '0000:72:00.0'
ONE, TWO, THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))
YPU = 'CUSTOM_YPU'


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents of all hosts."""


def slot_of(cloud, request):
    """Return the address that a server has, and the handle's UUID."""
    found = objects.ExtARQ.get(cloud.context, request.arq.uuid).arq
    return cloud.place_of(request), found.attach_handle_uuid


def offered(cloud, address=CARD):
    """Return how many slots of a device Placement offers."""
    return cloud.offered(f'compute1_{address}')


class TestSlot:
    def test_a_slot_that_is_in_use_stays_and_is_not_given_again(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        first = cloud.boot(CARD, YPU)
        before = slot_of(cloud, first)

        cloud.devices_file.write(card(THREE))
        cloud.report(agent)

        assert slot_of(cloud, first) == before
        assert cloud.slots(CARD) == {ONE, THREE}
        assert offered(cloud) == 1
        second = cloud.boot(CARD, YPU)
        assert slot_of(cloud, second)[0] == THREE
        assert offered(cloud) == 0

        cloud.devices_file.write(card(ONE, TWO))
        cloud.report(agent)

        assert slot_of(cloud, first) == before
        assert offered(cloud) == 1
        third = cloud.boot(CARD, YPU)
        assert slot_of(cloud, third)[0] == TWO

    def test_a_missing_slot_is_not_given_when_its_server_is_gone(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        first = cloud.boot(CARD, YPU)
        cloud.devices_file.write(card(TWO))
        cloud.report(agent)

        cloud.delete(first)

        second = cloud.boot(CARD, YPU)
        assert slot_of(cloud, second)[0] == TWO
        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(CARD, YPU)
        cloud.report(agent)
        assert cloud.slots(CARD) == {TWO}
        assert offered(cloud) == 0

    def test_a_slot_is_given_again_after_it_was_missing(self, cloud):
        agent = cloud.start(card(ONE))
        first = cloud.boot(CARD, YPU)
        cloud.devices_file.write(card(TWO))
        cloud.report(agent)
        cloud.devices_file.write(card(ONE))
        cloud.report(agent)

        cloud.delete(first)

        assert offered(cloud) == 1
        assert slot_of(cloud, cloud.boot(CARD, YPU))[0] == ONE

    def test_a_mediated_device_stays(self, cloud):
        agent = cloud.start(vgpu(2))
        requests = [cloud.boot(VGPU, 'VGPU') for _n in range(2)]
        before = [slot_of(cloud, request) for request in requests]

        cloud.devices_file.write(vgpu(1))
        cloud.report(agent)

        assert [slot_of(cloud, request) for request in requests] == before
        assert offered(cloud, VGPU) == 0


class TestCard:
    def test_a_card_that_is_in_use_stays_and_others_appear(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        first = cloud.boot(CARD, YPU)
        before = slot_of(cloud, first)

        cloud.devices_file.write(gzip())
        cloud.report(agent)

        assert slot_of(cloud, first) == before
        assert cloud.slots(CARD) == {ONE}
        assert offered(cloud) == 0
        assert offered(cloud, gzip()['address']) == 1

        cloud.delete(first)
        cloud.report(agent)

        assert cloud.deployable(CARD) is None
        assert cloud.provider(CARD) is None

    def test_a_card_that_is_allocated_and_not_bound_yet_stays(self, cloud):
        agent = cloud.start(card(ONE))
        cloud.allocate(CARD, YPU, 'server')

        cloud.devices_file.write(gzip())
        cloud.report(agent)

        assert cloud.slots(CARD) == {ONE}
        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(CARD, YPU)
        assert offered(cloud, gzip()['address']) == 1

        cloud.forget('server')
        cloud.report(agent)

        assert cloud.provider(CARD) is None

    def test_a_card_moves_to_another_address_while_it_is_in_use(self, cloud):
        other = '0000:73:00.0'
        moved = [f'0000:73:00.{number}' for number in (1, 2)]
        agent = cloud.start(card(ONE, TWO))
        first = cloud.boot(CARD, YPU)
        before = slot_of(cloud, first)

        cloud.devices_file.write(card(*moved, address=other))
        cloud.report(agent)

        assert slot_of(cloud, first) == before
        assert offered(cloud) == 0
        assert offered(cloud, other) == 2
        assert slot_of(cloud, cloud.boot(other, YPU))[0] == moved[0]

    def test_no_device_at_all_is_reported(self, cloud):
        agent = cloud.start(card(ONE, TWO), gzip())
        first = cloud.boot(CARD, YPU)
        before = slot_of(cloud, first)

        cloud.devices_file.write()
        cloud.report(agent)

        assert slot_of(cloud, first) == before
        assert cloud.deployable(gzip()['address']) is None


class TestOneSlotOfSeveralCards:
    def test_a_slot_that_a_server_has_is_left_out_of_another_card(self, cloud):
        other = '0000:73:00.0'
        agent = cloud.start(card(ONE, TWO))
        first = cloud.boot(CARD, YPU)

        cloud.report_devices(agent, card(TWO), card(ONE, THREE, address=other))

        assert slot_of(cloud, first)[0] == ONE
        assert cloud.slots(other) == {THREE}
        assert offered(cloud, other) == 1

    def test_two_cards_with_one_slot_have_it_once(self, cloud):
        other = '0000:73:00.0'
        agent = cloud.start(card(ONE, TWO))

        cloud.report_devices(
            agent, card(TWO, THREE, address=other), card(ONE, TWO)
        )

        # Where it was before.
        assert cloud.slots(CARD) == {ONE, TWO}
        assert cloud.slots(other) == {THREE}

    def test_a_slot_of_two_rows_is_given_once(self, cloud):
        other = '0000:73:00.0'
        cloud.start(card(ONE), card(TWO, address=other))
        # As Cyborg without the plugin has left it.
        cloud.move_slot(TWO, ONE)
        cloud.boot(CARD, YPU)

        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(other, YPU)


def test_one_card_that_fails_does_not_end_the_report(cloud, monkeypatch):
    agent = cloud.start(card(ONE))
    client = cloud.conductor.placement_client
    ensure = client.ensure_resource_classes

    def refuse(context, names):
        if names == ['CUSTOM_X']:
            raise cyborg_exception.PlacementServerError('It is down.')
        ensure(context, names)

    monkeypatch.setattr(client, 'ensure_resource_classes', refuse)
    cloud.devices_file.write(card(ONE, resource_class='X'), gzip())

    cloud.report(agent)

    assert offered(cloud, gzip()['address']) == 1

    monkeypatch.undo()
    cloud.report(agent)

    assert cloud.provider(CARD)[0] == {'CUSTOM_X': 1}


def test_a_provider_that_was_lost_is_made_again(cloud, monkeypatch):
    agent = cloud.start(card(ONE, TWO))
    destroy = objects.Device.destroy

    def fail(device, context):
        raise cyborg_exception.CyborgException('It is down.')

    # The provider is deleted, and then the device cannot be.
    monkeypatch.setattr(objects.Device, 'destroy', fail)
    cloud.devices_file.write()
    cloud.report(agent)
    monkeypatch.setattr(objects.Device, 'destroy', destroy)
    assert cloud.provider(CARD) is None

    cloud.devices_file.write(card(ONE, TWO))
    cloud.report(agent)
    cloud.report(agent)

    assert offered(cloud) == 2
    assert cloud.place_of(cloud.boot(CARD, YPU)) == ONE


def test_a_class_that_placement_did_not_make_is_made(cloud, monkeypatch):
    client = cloud.conductor.placement_client
    ensure = client.ensure_resource_classes
    attempts = []

    def make(context, names):
        attempts.append(names)
        # As Placement does on MariaDB while another class is made.
        if len(attempts) > 1:
            ensure(context, names)

    monkeypatch.setattr(client, 'ensure_resource_classes', make)
    cloud.start(card(ONE, TWO))

    assert offered(cloud) == 2


def test_a_trait_that_another_report_makes_first(cloud, monkeypatch):
    client = cloud.conductor.placement_client
    put = client.put

    def make(path, *args, **kwargs):
        if path.startswith('/traits/'):
            put(path, *args, **kwargs)
        return put(path, *args, **kwargs)

    monkeypatch.setattr(client, 'put', make)
    cloud.start(card(ONE, TWO, traits=['SOME_FOO_CAPABILITY']))

    assert offered(cloud) == 2


def test_nothing_is_offered_before_it_is_recorded(cloud, monkeypatch):
    agent = cloud.start(card(ONE, TWO))
    remove = slots.remove
    seen = []

    def look(context, deployable_id, texts):
        seen.append(offered(cloud))
        remove(context, deployable_id, texts)

    monkeypatch.setattr(slots, 'remove', look)
    cloud.boot(CARD, YPU)
    cloud.devices_file.write(card(TWO, THREE, '0000:72:00.4'))
    cloud.report(agent)

    assert seen == [1]
    assert offered(cloud) == 3


def test_another_text_for_the_same_slot_is_the_same_slot(cloud, monkeypatch):
    agent = cloud.start(card(ONE, TWO))
    first = cloud.boot(CARD, YPU)
    before = slot_of(cloud, first)
    found = agent.discover()
    for device in found:
        for handle in device.deployable_list[0].attach_handle_list:
            text = handle.attach_info
            handle.attach_info = text[:-1] + ', "physical_network": "a"}'
    monkeypatch.setattr(agent, 'discover', lambda: found)

    cloud.report(agent)

    assert slot_of(cloud, first) == before
    assert not any(
        slot.missing for slot in slots.of_host(cloud.context, 'compute1')
    )


@pytest.mark.parametrize('held', [False, True])
def test_a_deployable_moves_to_another_device(cloud, monkeypatch, held):
    agent = cloud.start(card(ONE, TWO))
    if held:
        first = cloud.boot(CARD, YPU)
    found = agent.discover()
    found[
        0
    ].controlpath_id.cpid_info = (
        '{"domain": "0000", "bus": "71", "device": "00", "function": "0"}'
    )
    monkeypatch.setattr(agent, 'discover', lambda: found)

    cloud.report(agent)

    assert offered(cloud) == (0 if held else 2)
    if held:
        assert cloud.place_of(first) == ONE
        cloud.delete(first)
        cloud.report(agent)
        cloud.report(agent)
        assert offered(cloud) == 2
    assert cloud.place_of(cloud.boot(CARD, YPU)) in (ONE, TWO)


def test_a_number_that_is_more_than_the_slots(cloud, monkeypatch):
    agent = cloud.start(card(ONE, TWO))
    first = cloud.boot(CARD, YPU)
    found = agent.discover()
    deployable = found[0].deployable_list[0]
    deployable.attach_handle_list = deployable.attach_handle_list[1:]
    monkeypatch.setattr(agent, 'discover', lambda: found)

    cloud.report(agent)

    assert cloud.place_of(first) == ONE
    assert offered(cloud) == 1


def test_a_device_whose_slots_a_driver_does_not_say(cloud, monkeypatch):
    agent = cloud.start(card(ONE), gzip())
    found = agent.discover()
    del found[0].deployable_list[0]._obj_attach_handle_list
    monkeypatch.setattr(agent, 'discover', lambda: found)

    cloud.report(agent)

    assert offered(cloud, gzip()['address']) == 1
