# SPDX-License-Identifier: Apache-2.0

"""A device that is tainted, by an operator or by what its agent says."""

import pytest

from nova_cyborg.audit import look, providers
from nova_cyborg.cyborg.conductor import health
from nova_cyborg.db.inventory import taints
from nova_cyborg.lifecycle.inventory import tainting
from tests.functional.inventory.entries import card

CARD, OTHER = '0000:72:00.0', '0000:73:00.0'
ONE, TWO, THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))
YPU = 'CUSTOM_YPU'
SICK = 'CUSTOM_TAINT_UNHEALTHY'
ECC = 'CUSTOM_TAINT_ECC'


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents of all hosts."""


def other(**changes):
    return card('0000:73:00.1', address=OTHER, **changes)


def device_id(cloud, address=CARD):
    deployable = cloud.deployable(address)
    found = {
        each.id: each.uuid
        for each in type(deployable).dbapi.device_list(cloud.context)
    }
    return found[deployable.device_id]


def taint(cloud, key='ecc'):
    made = taints.new(device_id(cloud), key, 'Two a minute.', taints.OPERATOR)
    tainting.begin(cloud.context, made)
    return made


def traits(cloud, address=CARD):
    return {
        name
        for name in cloud.provider(address)[1]
        if name.startswith('CUSTOM_TAINT_')
    }


def offered(cloud, *forbidden):
    query = ''.join(f'&required_X=!{trait}' for trait in forbidden)
    return cloud.candidates(YPU, query)


def test_it_is_offered_to_whom_does_not_forbid_it(cloud):
    cloud.start(card(ONE, TWO), other())

    made = taint(cloud)

    assert traits(cloud) == {ECC}
    assert offered(cloud) == [CARD, OTHER]
    assert offered(cloud, ECC) == [OTHER]

    tainting.end(cloud.context, made)

    assert offered(cloud, ECC) == [CARD, OTHER]


@pytest.mark.parametrize('after', [(ONE, TWO, THREE), (ONE,), (ONE, THREE)])
def test_it_stays_tainted_when_its_slots_change(cloud, after):
    agent = cloud.start(card(ONE, TWO))
    request = cloud.boot(CARD, YPU)
    taint(cloud)

    cloud.devices_file.write(card(*after))
    cloud.report(agent)

    assert traits(cloud) == {ECC}
    assert cloud.place_of(request) == ONE


def test_it_is_tainted_when_it_comes_back(cloud):
    agent = cloud.start(card(ONE, TWO), other())
    taint(cloud)
    cloud.devices_file.write(other())
    cloud.report(agent)
    assert offered(cloud) == [OTHER]

    cloud.devices_file.write(card(ONE, TWO), other())
    cloud.report(agent)

    assert traits(cloud) == {ECC}
    assert offered(cloud, ECC) == [OTHER]


def test_one_whose_taint_is_deleted_while_it_is_gone_goes(cloud):
    agent = cloud.start(card(ONE, TWO), other())
    made = taint(cloud)
    cloud.devices_file.write(other())
    cloud.report(agent)

    tainting.end(cloud.context, made)
    cloud.report(agent)

    assert cloud.deployable(CARD) is None
    assert cloud.provider(CARD) is None


class TestHealth:
    """What a driver says with an attribute."""

    def test_a_sick_device_is_tainted_until_it_is_well(self, cloud):
        agent = cloud.start(card(ONE, TWO), other())
        request = cloud.boot(CARD, YPU)
        attributes = cloud.records()['attributes']

        cloud.devices_file.write(card(ONE, TWO, unhealthy='Hot.'), other())
        cloud.report(agent)

        [found] = taints.of_devices(cloud.context)
        assert (found.key, found.reason, found.source) == (
            'unhealthy',
            'Hot.',
            'agent',
        )
        assert traits(cloud) == {SICK}
        assert offered(cloud, SICK) == [OTHER]
        # Who has it keeps it, and who tolerates that gets it.
        assert cloud.place_of(request) == ONE
        assert cloud.place_of(cloud.boot(CARD, YPU)) == TWO
        # It is no attribute of the device.
        assert cloud.records()['attributes'] == attributes

        cloud.devices_file.write(card(ONE, TWO, unhealthy='Cold.'), other())
        cloud.report(agent)
        assert [each.reason for each in taints.of_devices(cloud.context)] == [
            'Cold.'
        ]

        cloud.devices_file.write(card(ONE, TWO), other())
        cloud.report(agent)
        assert taints.of_devices(cloud.context) == []
        assert traits(cloud) == set()

    def test_a_new_device_is_sick(self, cloud):
        cloud.start(card(ONE, unhealthy='Hot.'))

        assert traits(cloud) == {SICK}

    def test_a_sick_device_that_goes(self, cloud):
        agent = cloud.start(card(ONE, unhealthy='Hot.'), other())
        cloud.devices_file.write(other())

        cloud.report(agent)

        assert cloud.deployable(CARD) is None
        assert taints.of_devices(cloud.context) == []

    def test_placement_does_not_answer(self, cloud, monkeypatch):
        agent = cloud.start(card(ONE))
        cloud.devices_file.write(card(ONE, unhealthy='Hot.'))
        with monkeypatch.context() as patch:
            patch.setattr(
                health.publishing.placement_client.PlacementClient,
                'put',
                lambda *args, **kwargs: _Unavailable(),
            )
            cloud.report(agent)
        # No request may forbid what Placement does not know.
        assert taints.keys(cloud.context) == frozenset()

        cloud.report(agent)

        assert traits(cloud) == {SICK}


class _Unavailable:
    status_code = 503

    def __bool__(self):
        return False


def test_the_audit_finds_what_lapsed(cloud):
    cloud.start(card(ONE, TWO))
    taint(cloud)
    provider = cloud.deployable(CARD).rp_uuid
    path = f'/resource_providers/{provider}/traits'
    body = cloud.placement(path)
    kept = [name for name in body['traits'] if name != ECC]
    cloud.placement(path, 'PUT', {**body, 'traits': kept})

    [finding] = providers.find_tainted(look.Look())

    assert (finding.kind, finding.subject) == ('taint-lapsed', provider)
    assert 'ecc' in finding.detail
    finding.repair()
    assert traits(cloud) == {ECC}
    assert not list(providers.find_tainted(look.Look()))
