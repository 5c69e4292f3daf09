# SPDX-License-Identifier: Apache-2.0

"""The command that runs a hypervisor machine."""

import collections.abc
import dataclasses
import pathlib

from tools.seldom.hypervisor import image as image_module

# VT-d's second level tables have no use for five levels of the first.
_CPU = 'max,la57=off'
_LIBVIRT_PORT = 16509
_KERNEL = ' '.join(
    (
        *('console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off'),
        *('intel_iommu=on', 'iommu=pt'),
        # Whether the timer works is not to be tried: it does, but perhaps not
        # in the time that a busy outer machine leaves.
        'no_timer_check',
        # Where guests run, QEMU loses an interrupt now and then. Timers that
        # tick can do without; one that is set for once would never come.
        *('nohz=off', 'highres=off'),
    )
)


@dataclasses.dataclass(frozen=True)
class Device:
    """A spare PCI device of the machine.

    :ivar slot: its slot on bus 0; the machine's own devices are below 0x10
        and at 0x1f.
    :ivar kind: edu or nvme.
    """

    slot: int
    kind: str

    @property
    def address(self) -> str:
        """Its PCI address in the machine."""
        return f'0000:00:{self.slot:02x}.0'


@dataclasses.dataclass(frozen=True)
class End:
    """An end of the link between two machines.

    :ivar host: the machine's host name.
    :ivar number: the last of the four in its address on the link.
    :ivar socket: path of the socket that what is sent to it goes to;
        relative, if need be.
    """

    host: str
    number: int
    socket: pathlib.Path

    @property
    def address(self) -> str:
        """Its IP address on the link."""
        return f'10.0.3.{self.number}'

    @property
    def mac(self) -> str:
        """Its hardware address."""
        return f'52:54:00:00:03:{self.number:02x}'


@dataclasses.dataclass(frozen=True)
class Machine:
    """A hypervisor machine.

    :ivar name: its host name.
    :ivar image: what it runs.
    :ivar devices: its spare PCI devices.
    :ivar folder: a folder of its own; relative, if need be: sockets' paths
        are to be short.
    :ivar shared: the folder that it shares with the outer machine, and has
        at the same path: the guests' disks are there.
    :ivar port: where libvirt listens, on the outer machine's loopback.
    :ivar uuid: the machine's UUID, that libvirt tells hosts apart by.
    :ivar link: its own end of the link to another machine, and the other's;
        empty if there is none.
    :ivar mib: its memory.
    """

    name: str
    image: image_module.Image
    devices: tuple[Device, ...]
    folder: pathlib.Path
    shared: pathlib.Path
    port: int
    uuid: str
    link: tuple[End, ...] = ()
    mib: int = 2048

    def command(self) -> tuple[str, ...]:
        """Return the command that runs it, until it is ended."""
        return (
            'qemu-system-x86_64',
            *('-name', self.name, '-uuid', self.uuid),
            *('-machine', 'q35', '-accel', 'tcg,thread=multi,tb-size=512'),
            *('-cpu', _CPU, '-smp', '2', '-m', str(self.mib)),
            *('-nodefaults', '-display', 'none', '-no-reboot'),
            *self._boot(),
            *self._consoles(),
            *self._network(),
            *self._link(),
            *self._share(),
            # The devices' DMA must go through it, so it comes before them.
            *(
                '-device',
                'intel-iommu,intremap=on,caching-mode=on,device-iotlb=on',
            ),
            *(part for each in self.devices for part in self._device(each)),
        )

    def disk(self, device: Device) -> pathlib.Path:
        """Return the file behind an NVMe device.

        :param device: the device.
        :returns: the file's path.
        """
        return self.folder / f'nvme-{device.slot:x}.img'

    @property
    def shell(self) -> pathlib.Path:
        """The socket of the shell on the second serial port."""
        return self.folder / 'shell'

    def _boot(self) -> tuple[str, ...]:
        link = ','.join(f'{each.address}={each.host}' for each in self.link)
        arguments = (
            f'{_KERNEL} hypervisor.name={self.name} '
            f'hypervisor.share={self.shared} hypervisor.link={link}'
        )
        return (
            *('-kernel', str(self.image.kernel)),
            *('-initrd', str(self.image.initramfs)),
            *('-append', arguments),
            # What it writes is gone with it.
            '-drive',
            f'if=virtio,format=raw,snapshot=on,file={self.image.root}',
        )

    def _consoles(self) -> tuple[str, ...]:
        shell = f'socket,id=shell,path={self.shell},server=on,wait=off'
        return (
            *('-serial', 'file:/dev/stdout'),
            *('-chardev', shell),
            *('-serial', 'chardev:shell'),
        )

    def _network(self) -> tuple[str, ...]:
        forward = f'tcp:127.0.0.1:{self.port}-10.0.2.15:{_LIBVIRT_PORT}'
        return (
            '-netdev',
            # No way out of the machine, and one way in.
            f'user,id=net,restrict=on,hostfwd={forward}',
            *('-device', 'virtio-net-pci,netdev=net,romfile='),
        )

    def _link(self) -> tuple[str, ...]:
        if not self.link:
            return ()
        own, other = self.link
        return (
            '-netdev',
            # Whichever of the two is there first, or again.
            f'dgram,id=link,local.type=unix,local.path={own.socket},'
            f'remote.type=unix,remote.path={other.socket}',
            '-device',
            f'virtio-net-pci,netdev=link,romfile=,mac={own.mac}',
        )

    def _share(self) -> tuple[str, ...]:
        return (
            '-fsdev',
            f'local,id=share,path={self.shared},security_model=none,'
            'multidevs=remap',
            *('-device', 'virtio-9p-pci,fsdev=share,mount_tag=share'),
        )

    def _device(self, device: Device) -> collections.abc.Sequence[str]:
        place = f'bus=pcie.0,addr={device.slot:#x}'
        if device.kind == 'edu':
            return ('-device', f'edu,{place}')
        name = f'nvme{device.slot:x}'
        return (
            '-drive',
            f'if=none,id={name},format=raw,file={self.disk(device)}',
            *('-device', f'nvme,{place},serial={name},drive={name}'),
        )
