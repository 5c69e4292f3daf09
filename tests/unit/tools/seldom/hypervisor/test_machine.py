# SPDX-License-Identifier: Apache-2.0

"""The command that runs a hypervisor machine."""

import itertools
import pathlib

import pytest

from tools.seldom.hypervisor import image, machine


@pytest.fixture(name='command')
def _command():
    made = machine.Machine(
        name='compute1',
        image=image.Image(*map(pathlib.Path, ('kernel', 'initrd', 'root'))),
        devices=(machine.Device(0x10, 'edu'), machine.Device(0x12, 'nvme')),
        folder=pathlib.Path('machines/compute1'),
        shared=pathlib.Path('/cloud/guests'),
        port=20001,
        uuid='6104c346-896c-42b5-a629-7a994aa1c3ed',
    )
    return made.command()


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


def test_a_drive_is_known_by_its_slot(command):
    assert 'nvme,bus=pcie.0,addr=0x12,serial=nvme12,drive=nvme12' in command
    assert any(
        part.endswith('file=machines/compute1/nvme-12.img') for part in command
    )


def test_addresses():
    assert machine.Device(0x1A, 'edu').address == '0000:00:1a.0'
