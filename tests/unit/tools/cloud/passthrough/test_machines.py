# SPDX-License-Identifier: Apache-2.0

"""The hypervisor machines and what Cyborg is told of them."""

import pytest
import yaml

from tools.cloud import cloud, exception, kinds, wanted
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import kind, machines

_KINDS = {('1234', '11e8'): 'edu', ('1b36', '0010'): 'nvme'}


@pytest.mark.parametrize('host', machines.DEVICES)
def test_the_shipped_list_has_the_devices_of_the_machine(host):
    path = kind.Passthrough.devices / f'{host}.yaml'
    listed = yaml.safe_load(path.read_text())['devices']

    assert [
        (each['address'], _KINDS[each['vendor'], each['product']])
        for each in listed
    ] == [(each.address, each.kind) for each in machines.DEVICES[host]]


def test_an_address_tells_the_host():
    slots = [
        each.slot for every in machines.DEVICES.values() for each in every
    ]

    assert len(set(slots)) == len(slots)
    assert all(0x10 <= slot < 0x1F for slot in slots)


@pytest.mark.parametrize(
    ('computes', 'ends'),
    [(1, {'compute1': []}), (2, {'compute1': [1, 2], 'compute2': [2, 1]})],
)
def test_two_machines_have_a_link(tmp_path, computes, ends):
    state = cloud_state.State(
        tmp_path, wanted.Wanted(kinds.PASSTHROUGH, computes).settings()
    )

    found = {host: machines.link(state, host) for host in state.settings.hosts}

    assert {
        host: [each.number for each in link] for host, link in found.items()
    } == ends


def test_more_hosts_than_there_are_machines(tmp_path):
    with pytest.raises(exception.TooManyHosts, match='at most 2'):
        cloud.Cloud(tmp_path / 'cloud').up(wanted.Wanted(kinds.PASSTHROUGH, 3))

    assert not list(tmp_path.iterdir())
