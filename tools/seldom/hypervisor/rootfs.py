# SPDX-License-Identifier: Apache-2.0

"""The root file system of the hypervisor machine."""

import pathlib
import platform
import tempfile

from tools.seldom.guest import commands
from tools.seldom.guest.image import packages

# No systemd: its own init starts the few daemons that there are.
PACKAGES = (
    'iproute2',
    'libvirt-daemon',
    'libvirt-daemon-driver-qemu',
    'qemu-system-x86',
    'udev',
)
_SECONDS = 900.0
_SIZE = '2G'
_LIBVIRTD = """\
listen_tls = 0
listen_tcp = 1
# The port is forwarded from the outer machine's loopback only.
auth_tcp = "none"
"""
# Nobody else is in the machine: nothing to be kept apart.
_QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""


def make(path: pathlib.Path, debootstrap: packages.Package) -> None:
    """Make the image of the file system: ext4, without a partition table.

    :param path: where to write it; a folder is made beside it for a while.
    :param debootstrap: the package.
    :raises CommandFailed: if Debian's packages cannot be fetched or unpacked.
    """
    tool = packages.fetch(path.parent / 'packages', debootstrap)
    with tempfile.TemporaryDirectory(dir=path.parent) as half:
        root = pathlib.Path(half, 'root')
        _unpack(tool, root, debootstrap.archive)
        _configure(root)
        made = pathlib.Path(half, path.name)
        # From a folder: no loop device is needed.
        commands.run(*('mkfs.ext4', '-q', '-d', str(root), str(made), _SIZE))
        made.rename(path)


def release() -> str:
    """Return which release of Debian this machine has.

    :returns: the release's name, such as bookworm.
    """
    return platform.freedesktop_os_release().get('VERSION_CODENAME', 'stable')


def _unpack(tool: pathlib.Path, root: pathlib.Path, archive: str) -> None:
    commands.run(
        'env',
        f'DEBOOTSTRAP_DIR={tool}/usr/share/debootstrap',
        str(tool / 'usr' / 'sbin' / 'debootstrap'),
        '--variant=minbase',
        f'--include={",".join(PACKAGES)}',
        release(),
        str(root),
        archive,
        seconds=_SECONDS,
    )


def _configure(root: pathlib.Path) -> None:
    for path in (root / 'var' / 'cache' / 'apt' / 'archives').glob('*.deb'):
        path.unlink()
    etc = root / 'etc'
    (etc / 'libvirt').mkdir(exist_ok=True)
    (etc / 'libvirt' / 'libvirtd.conf').write_text(_LIBVIRTD)
    (etc / 'libvirt' / 'qemu.conf').write_text(_QEMU)
    (root / 'var' / 'log' / 'libvirt' / 'qemu').mkdir(
        parents=True, exist_ok=True
    )
    # The package that would make them comes with systemd.
    with (etc / 'passwd').open('a') as stream:
        stream.write('libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n')
    with (etc / 'group').open('a') as stream:
        stream.write('libvirt-qemu:x:64055:\n')
