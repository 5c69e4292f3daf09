# SPDX-License-Identifier: Apache-2.0

"""Makes the guest's disk image, once for what it is made of."""

import collections.abc
import hashlib
import pathlib
import tempfile

from tools.command_line import progress
from tools.seldom.guest.image import disk, initramfs, packages

_TOOLS = ('busybox-static', 'dosfstools', 'mtools', 'syslinux')
_SOURCES = pathlib.Path(__file__).parent


def build(
    folder: pathlib.Path,
    report: progress.Progress,
    programs: collections.abc.Mapping[str, bytes] | None = None,
) -> pathlib.Path:
    """Make the image, unless there is one of the same packages and sources.

    :param folder: where images and packages are kept.
    :param report: where to tell how far it has come.
    :param programs: what the guest runs when it has started; static
        programs by their names.
    :returns: the image's path: a raw disk, some 11 or 17 MB.
    :raises GuestError: if it cannot be made.
    """
    programs = programs or {}
    with report.step('packages of the guest found'):
        found = packages.find(*_TOOLS, *packages.kernel_names())
    path = folder / f'guest-{_digest(found, programs)}.img'
    if path.exists():
        return path
    with report.step('packages of the guest fetched'):
        folders = [packages.fetch(folder / 'packages', each) for each in found]
    tools, kernel = folders[: len(_TOOLS)], folders[len(_TOOLS) :]
    with report.step('guest made'):
        _make(path, kernel, tools, programs)
    return path


def _digest(
    found: list[packages.Package],
    programs: collections.abc.Mapping[str, bytes],
) -> str:
    digest = hashlib.sha256()
    for package in found:
        digest.update(f'{package.file} {package.digest}\n'.encode())
    for source in sorted(_SOURCES.glob('*.*')):
        digest.update(source.read_bytes())
    for name, content in programs.items():
        digest.update(name.encode() + b'\0' + content)
    return digest.hexdigest()[:16]


def _make(
    path: pathlib.Path,
    kernel: list[pathlib.Path],
    tools: list[pathlib.Path],
    programs: collections.abc.Mapping[str, bytes],
) -> None:
    busybox = packages.program(tools[0], 'busybox')
    archive = initramfs.make(kernel, busybox, programs)
    vmlinuz = next((kernel[0] / 'boot').glob('vmlinuz-*')).read_bytes()
    folders = tuple(
        each / where
        for each in tools
        for where in ('usr/bin', 'sbin', 'usr/sbin')
    )
    with tempfile.TemporaryDirectory(dir=path.parent) as half:
        made = pathlib.Path(half, path.name)
        disk.make(made, vmlinuz, archive, folders)
        # Whoever looks finds all of it or nothing.
        made.rename(path)
