# SPDX-License-Identifier: Apache-2.0

"""The command that runs a hypervisor machine."""

import itertools
import pathlib

import pytest

from tools.seldom.hypervisor import image, machine

_ENDS = tuple(
    machine.End(f'compute{number}', number, pathlib.Path(f'machines/{number}'))
    for number in (1, 2)
)


@pytest.fixture(name='command')
def _command():
    return _machine().command()


def _machine(**fields):
    return machine.Machine(
        name='compute1',
        image=image.Image(*map(pathlib.Path, ('kernel', 'initrd', 'root'))),
        devices=(machine.Device(0x10, 'edu'), machine.Device(0x12, 'nvme')),
        folder=pathlib.Path('machines/compute1'),
        shared=pathlib.Path('/cloud/guests'),
        port=20001,
        uuid='6104c346-896c-42b5-a629-7a994aa1c3ed',
        **fields,
    )


def test_every_option_stands_for_itself(command):
    assert not [part for part in command if ' -' in part]
    assert command[0] == 'qemu-system-x86_64'


def test_the_iommu_comes_before_the_devices(command):
    devices = [
        value.partition(',')[0]
        for option, value in itertools.pairwise(command)
        if option == '-device'
    ]

    assert devices.index('intel-iommu') < devices.index('edu')
    assert devices.index('intel-iommu') < devices.index('nvme')


def test_nothing_gets_out_and_only_the_outer_machine_gets_in(command):
    (network,) = [part for part in command if part.startswith('user,')]

    assert 'restrict=on' in network.split(',')
    assert 'hostfwd=tcp:127.0.0.1:20001-10.0.2.15:16509' in network


def test_a_machine_alone_has_no_link(command):
    assert not [part for part in command if 'link=1' in part]
    assert len([part for part in command if 'netdev=' in part]) == 1


def test_what_one_machine_sends_the_other_one_receives():
    commands = [_machine(link=ends).command() for ends in (_ENDS, _ENDS[::-1])]

    sockets = [
        dict(
            field.split('=')
            for part in command
            if part.startswith('dgram,')
            for field in part.split(',')[1:]
        )
        for command in commands
    ]
    assert sockets[0]['local.path'] == sockets[1]['remote.path']
    assert sockets[1]['local.path'] == sockets[0]['remote.path']
    macs = {
        part.rpartition('mac=')[2]
        for command in commands
        for part in command
        if 'mac=' in part
    }
    assert len(macs) == 2


def test_a_machine_knows_both_ends_by_their_names_and_its_own_first():
    (arguments,) = [
        part
        for part in _machine(link=_ENDS[::-1]).command()
        if 'hypervisor.link' in part
    ]

    assert arguments.endswith(
        ' hypervisor.link=10.0.3.2=compute2,10.0.3.1=compute1'
    )


def test_a_drive_is_known_by_its_slot(command):
    assert 'nvme,bus=pcie.0,addr=0x12,serial=nvme12,drive=nvme12' in command
    assert any(
        part.endswith('file=machines/compute1/nvme-12.img') for part in command
    )


def test_addresses():
    assert machine.Device(0x1A, 'edu').address == '0000:00:1a.0'
