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
        return subprocess.CompletedProcess(
            ('virsh', *arguments), int(answer is None), answer or ''
        )

    monkeypatch.setattr(virsh, 'call', call)
    return answers


def test_on_the_second_host_when_that_answers(cloud, libvirt):
    late = subprocess.TimeoutExpired('virsh', 30)
    libvirt.update(compute1=[None, None], compute2=[late, '1\n'])

    guest = guests.find(cloud, 'server-1')

    assert guest.uuid == 'server-1'
    assert guest.console_log.parts[-2:] == ('server-1', 'console.log')
    assert guest.host_log == cloud.log('hypervisor-compute2')


@pytest.mark.parametrize(
    ('first', 'second', 'host'),
    [('-\n', '3\n', 'compute2'), ('3\n', '-\n', 'compute1')],
)
def test_where_it_runs_while_it_moves(cloud, libvirt, first, second, host):
    libvirt.update(
        compute1=[first, first, f'<domain of="{host}"/>'],
        compute2=[second, second, f'<domain of="{host}"/>'],
    )

    guest = guests.find(cloud, 'server-1')

    assert guest.host_log == cloud.log(f'hypervisor-{host}')
    assert host in virsh.domain_xml(cloud, 'server-1')
    # The other one was not asked for it.
    assert [len(left) for left in libvirt.values()].count(0) == 1


def test_on_no_host(cloud, libvirt):
    libvirt.update(compute1=[None] * 100, compute2=[None] * 100)

    with pytest.raises(exception.StepFailed, match='the guest of server-1'):
        guests.find(cloud, 'server-1', seconds=0.3)
