# SPDX-License-Identifier: Apache-2.0

"""Makes what the hypervisor machine runs, once for what it is made of."""

import dataclasses
import hashlib
import os
import pathlib

from tools.command_line import progress
from tools.seldom.guest.image import packages
from tools.seldom.hypervisor import initramfs, rootfs, vmlinux

_SOURCES = pathlib.Path(__file__).parent
# What each part is made by: the root file system takes two minutes.
_BOOT = ('initramfs.py', 'stage1.sh', 'init.sh', 'vmlinux.py')
_ROOT = ('rootfs.py',)


@dataclasses.dataclass(frozen=True)
class Image:
    """What the machine runs.

    :ivar kernel: path of the kernel, not compressed.
    :ivar initramfs: path of what it starts with.
    :ivar root: path of the root file system's image.
    """

    kernel: pathlib.Path
    initramfs: pathlib.Path
    root: pathlib.Path


def build(folder: pathlib.Path, report: progress.Progress) -> Image:
    """Make it, unless there is one of the same packages and sources.

    :param folder: where images and packages are kept.
    :param report: where to tell how far it has come.
    :returns: the image.
    :raises GuestError: if it cannot be made.
    """
    with report.step('packages of the hypervisor machine found'):
        busybox, debootstrap, *found = packages.find(
            'busybox-static',
            'debootstrap',
            *rootfs.PACKAGES,
            *packages.kernel_names(),
        )
    others, kernel = (
        found[: len(rootfs.PACKAGES)],
        found[len(rootfs.PACKAGES) :],
    )
    boot = folder / f'hypervisor-{_digest([*kernel, busybox], _BOOT)}'
    root = folder / f'hypervisor-{_digest(others, _ROOT)}.ext4'
    image = Image(
        boot.with_suffix('.vmlinux'), boot.with_suffix('.initrd'), root
    )
    if not image.initramfs.exists():
        with report.step('kernel of the hypervisor machine made'):
            _make_kernel(image, kernel, busybox)
    if not image.root.exists():
        with report.step('root file system of the hypervisor machine made'):
            rootfs.make(image.root, debootstrap)
    return image


def _make_kernel(
    image: Image, kernel: list[packages.Package], busybox: packages.Package
) -> None:
    folder = image.kernel.parent / 'packages'
    unpacked = [packages.fetch(folder, each) for each in kernel]
    tool = packages.program(packages.fetch(folder, busybox), 'busybox')
    vmlinuz = next((unpacked[0] / 'boot').glob('vmlinuz-*'))
    _write(image.kernel, vmlinux.extract(vmlinuz.read_bytes()))
    _write(image.initramfs, initramfs.make(unpacked, tool))


def _write(path: pathlib.Path, content: bytes) -> None:
    # Whoever looks finds all of it or nothing.
    half = path.with_name(f'{path.name}.{os.getpid()}')
    half.write_bytes(content)
    half.replace(path)


def _digest(found: list[packages.Package], sources: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for package in found:
        digest.update(f'{package.file} {package.digest}\n'.encode())
    for source in sources:
        digest.update((_SOURCES / source).read_bytes())
    return digest.hexdigest()[:16]
