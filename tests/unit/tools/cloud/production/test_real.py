# SPDX-License-Identifier: Apache-2.0

import configparser
import importlib.util
import json

import pytest

from tools.cloud import exception, kinds, wanted
from tools.cloud.machine import libvirt_module
from tools.cloud.model import state
from tools.cloud.production import configs, topology
from tools.cloud.production.hosts.real import files, hypervisor


@pytest.fixture
def cloud(tmp_path):
    """The folder of a production-like cloud, with nothing in it yet."""
    made = state.State(
        tmp_path / 'cloud',
        wanted.Wanted(kinds.PRODUCTION, computes=2, real=1).settings(),
    )
    made.save()
    return made


def _options(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return parser


def test_real_hosts_come_last(cloud):
    assert cloud.settings.hosts == ['compute1', 'compute2', 'real1']
    assert topology.cell_of(cloud, 'real1') == 'cell2'


def test_a_cloud_made_before_there_were_real_hosts(cloud):
    path = cloud.path / 'cloud.json'
    fields = json.loads(path.read_text())
    del fields['real_hosts']
    path.write_text(json.dumps(fields))

    assert state.State.load(cloud.path).settings.real_hosts == []


def test_nova_of_a_real_host(cloud):
    configs.write(cloud)

    real = _options(configs.path(cloud, 'nova', 'real1'))
    fake = _options(configs.path(cloud, 'nova', 'compute1'))

    assert real['libvirt']['virt_type'] == 'qemu'
    assert real['libvirt']['connection_uri'] == hypervisor.uri('real1')
    assert real['DEFAULT']['use_cow_images'] == 'true'
    assert 'initial_ram_allocation_ratio' not in real['DEFAULT']
    assert fake['libvirt']['connection_uri'] == 'qemu:///compute1'


def test_the_socket_is_where_the_address_says(cloud):
    files.write(cloud)

    socket = hypervisor.uri('real1').partition('socket=')[2]

    assert cloud.path / socket == files.folder(cloud, 'real1') / files.SOCKET
    assert (cloud.path / socket).parents[1].is_dir()


def test_the_programs_of_a_host_start_in_order(cloud):
    names = [each.name for each in hypervisor.all_programs(cloud)]

    assert names == ['machine-real1', 'virtlogd-real1', 'libvirtd-real1']


def test_the_module_is_for_another_python(monkeypatch, tmp_path):
    monkeypatch.setattr(libvirt_module, '_MACHINE', tmp_path)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)

    with pytest.raises(exception.OtherPython, match='another Python'):
        libvirt_module.require()


def test_the_module_is_linked(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)

    libvirt_module.link(tmp_path)

    assert (tmp_path / 'libvirt.py').is_symlink()
