# SPDX-License-Identifier: Apache-2.0

"""Finding the guest of a server on the hypervisor machines."""

import subprocess

import pytest

from tools.cloud import exception, kinds, wanted
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import guests, virsh


@pytest.fixture
def cloud(tmp_path):
    return cloud_state.State(
        tmp_path / 'cloud', wanted.Wanted(kinds.PASSTHROUGH, 2).settings()
    )


@pytest.fixture
def libvirt(monkeypatch):
    """What the libvirt of each host answers, one after the other."""
    answers = {}

    def call(state, host, *arguments):
        answer = answers[host].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(('virsh', *arguments), answer)

    monkeypatch.setattr(virsh, 'call', call)
    return answers


def test_on_the_second_host_when_that_answers(cloud, libvirt):
    late = subprocess.TimeoutExpired('virsh', 30)
    libvirt.update(compute1=[1, 1], compute2=[late, 0])

    guest = guests.find(cloud, 'server-1')

    assert guest.uuid == 'server-1'
    assert guest.console_log.parts[-2:] == ('server-1', 'console.log')
    assert guest.host_log == cloud.log('hypervisor-compute2')


def test_on_no_host(cloud, libvirt):
    libvirt.update(compute1=[1] * 100, compute2=[1] * 100)

    with pytest.raises(exception.StepFailed, match='the guest of server-1'):
        guests.find(cloud, 'server-1', seconds=0.3)
