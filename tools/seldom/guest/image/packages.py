# SPDX-License-Identifier: Apache-2.0

"""Debian and Ubuntu packages, fetched and unpacked without installing."""

import dataclasses
import os
import pathlib
import platform
import re
import tempfile

from tools.seldom.guest import commands, exception

# 'URI' FILE SIZE HASH
_URI = re.compile(
    r"^'(?P<archive>[^']+)/pool/[^']+' (?P<file>\S+) \d+ (?P<digest>\S+)$",
    re.MULTILINE,
)
# The package that depends on the newest kernel, by the distribution.
_META = {'debian': 'linux-image-amd64', 'ubuntu': 'linux-image-virtual'}
# apt would drop its privileges, and not be able to write to our folder.
_APT = ('apt-get', '--option=APT::Sandbox::User=root', '--quiet=2')


@dataclasses.dataclass(frozen=True)
class Package:
    """A package in the archive.

    :ivar name: its name.
    :ivar file: name of its file, which has the version in it.
    :ivar digest: the hash of its file, as the archive tells it.
    :ivar archive: the archive's address.
    """

    name: str
    file: str
    digest: str
    archive: str


def find(*names: str) -> list[Package]:
    """Look packages up.

    :param names: their names.
    :returns: the versions that would be installed, in the same order.
    :raises NoPackage: if the archive lacks one.
    """
    try:
        # All at once: it is the lists that take apt their time. It says
        # nothing of what it finds where it is run.
        with tempfile.TemporaryDirectory() as empty:
            printed = commands.run(
                *(*_APT, '--print-uris', 'download', *names),
                folder=pathlib.Path(empty),
            )
    except exception.CommandFailed as error:
        raise exception.NoPackage(', '.join(names), str(error)) from error
    found = parse_uris(printed.decode())
    for name in names:
        if name not in found:
            raise exception.NoPackage(name, 'it names no file')
    return [found[name] for name in names]


def parse_uris(text: str) -> dict[str, Package]:
    """Read what ``apt-get --print-uris`` says of packages.

    :param text: the output.
    :returns: the packages by their names.
    """
    found = {}
    for match in _URI.finditer(text):
        name = match['file'].partition('_')[0]
        found[name] = Package(name, **match.groupdict())
    return found


def kernel_names() -> list[str]:
    """Return the names of the packages that have the newest kernel.

    :returns: the package of the kernel, which has the version in its name,
        and that of its modules where they are not in the same.
    :raises NoPackage: if there is none.
    """
    meta = _META[_distribution()]
    kernel = _needed(meta, 'linux-image')
    if kernel is None:
        raise exception.NoPackage(meta, 'it depends on no kernel')
    # Ubuntu's modules have a package of their own.
    modules = _needed(kernel, 'linux-modules')
    return [kernel, modules] if modules else [kernel]


def _distribution() -> str:
    release = platform.freedesktop_os_release()
    for name in (release['ID'], *release.get('ID_LIKE', '').split()):
        if name in _META:
            return name
    raise exception.NotDebian(release['NAME'])


def _needed(name: str, kind: str) -> str | None:
    """Find the package of a kind, of one version, that another depends on."""
    try:
        shown = commands.run('apt-cache', 'show', '--no-all-versions', name)
    except exception.CommandFailed as error:
        raise exception.NoPackage(name, str(error)) from error
    match = re.search(
        rf'^Depends:.*?\b({kind}-\d[^\s,]+)', shown.decode(), re.MULTILINE
    )
    return match and match[1]


def fetch(folder: pathlib.Path, package: Package) -> pathlib.Path:
    """Fetch a package and unpack it, unless that has been done.

    :param folder: where packages are kept.
    :param package: the package.
    :returns: the folder that it is unpacked in.
    :raises CommandFailed: if it cannot be fetched or unpacked.
    """
    unpacked = folder / package.file.removesuffix('.deb')
    if unpacked.exists():
        return unpacked
    folder.mkdir(parents=True, exist_ok=True)
    # apt checks the hash.
    commands.run(*_APT, 'download', package.name, folder=folder)
    half = unpacked.with_name(f'{unpacked.name}.{os.getpid()}')
    commands.run('dpkg-deb', '-x', str(folder / package.file), str(half))
    (folder / package.file).unlink(missing_ok=True)
    try:
        half.rename(unpacked)
    except OSError:
        # Somebody else was faster.
        commands.run('rm', '-r', str(half))
    return unpacked


def program(unpacked: pathlib.Path, name: str) -> pathlib.Path:
    """Find a program in an unpacked package.

    :param unpacked: where the package is unpacked.
    :param name: the program's name.
    :returns: its path.
    :raises NoPackage: if the package has no such program.
    """
    for folder in ('usr/bin', 'bin', 'usr/sbin', 'sbin'):
        if (unpacked / folder / name).exists():
            return unpacked / folder / name
    raise exception.NoPackage(unpacked.name, f'it has no {name}')
