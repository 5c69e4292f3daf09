# SPDX-License-Identifier: Apache-2.0

"""The hypervisor machines of a cloud."""

import os
import pathlib
import uuid

from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import config, images, virsh
from tools.seldom.hypervisor import image, machine

SERVICE = 'hypervisor'
# No address is the same on both hosts, so that one tells the host.
DEVICES = {
    'compute1': (
        machine.Device(0x10, 'edu'),
        machine.Device(0x11, 'edu'),
        machine.Device(0x12, 'nvme'),
        machine.Device(0x13, 'nvme'),
    ),
    'compute2': (
        machine.Device(0x18, 'edu'),
        machine.Device(0x19, 'nvme'),
    ),
}
_NVME_BYTES = 16 * 1024**2
_GUEST = 'guest.img'


def listener(host: str) -> str:
    """Return the name of the port that a host's libvirt has outside.

    :returns: the name, as in the cloud's settings.
    """
    return virsh.listener(host)


def program_name(host: str) -> str:
    """Return the name of the program that is a host.

    :returns: the program's name.
    """
    return f'{SERVICE}-{host}'


def all_programs(state: cloud_state.State) -> list[programs.Program]:
    """Return the programs of all machines.

    :returns: the programs.
    """
    return [_program(state, host) for host in state.settings.hosts]


def write_files(state: cloud_state.State) -> None:
    """Write the files of all machines."""
    built = images.build()
    folder = state.folder(_folder(''))
    for name, path in {**vars(built.hypervisor), _GUEST: built.guest}.items():
        (folder / name).symlink_to(path)
    for host in state.settings.hosts:
        state.folder(_folder(host))
        for device in DEVICES[host]:
            if device.kind == 'nvme':
                path = disk(state, host, device)
                path.touch()
                os.truncate(path, _NVME_BYTES)


def guest_image(state: cloud_state.State) -> pathlib.Path:
    """Return the disk that servers boot.

    :returns: its path.
    """
    return state.path / _folder('') / _GUEST


def disk(
    state: cloud_state.State, host: str, device: machine.Device
) -> pathlib.Path:
    """Return the file behind an NVMe drive of a machine.

    :returns: its path.
    """
    return state.path / _machine(state, host).disk(device)


def shell(state: cloud_state.State, host: str) -> pathlib.Path:
    """Return the socket of a shell in a machine.

    :returns: the socket's path.
    """
    return state.path / _machine(state, host).shell


def link(state: cloud_state.State, host: str) -> tuple[machine.End, ...]:
    """Return the link between a machine and the other one.

    :returns: its ends, that of the machine first; none if there is no other.
    """
    ends = [
        machine.End(each, number, pathlib.Path(_folder(each), 'link'))
        for number, each in enumerate(state.settings.hosts, 1)
    ]
    if len(ends) == 1:
        return ()
    return tuple(sorted(ends, key=lambda each: each.host != host))


def _folder(host: str) -> str:
    return os.path.join('hypervisors', host)


def _machine(state: cloud_state.State, host: str) -> machine.Machine:
    folder = pathlib.Path(_folder(''))
    return machine.Machine(
        name=host,
        image=image.Image(
            folder / 'kernel', folder / 'initramfs', folder / 'root'
        ),
        devices=DEVICES[host],
        # Relative to the cloud's folder, where the supervisor starts it.
        folder=folder / host,
        shared=config.guests(state),
        port=state.settings.ports[listener(host)],
        uuid=str(uuid.uuid5(uuid.NAMESPACE_DNS, host)),
        link=link(state, host),
    )


def _program(state: cloud_state.State, host: str) -> programs.Program:
    return programs.Program(
        name=program_name(host),
        service=SERVICE,
        command=_machine(state, host).command(),
        is_ready=lambda: virsh.answers(state, host),
    )
