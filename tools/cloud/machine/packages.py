# SPDX-License-Identifier: Apache-2.0

"""The machine's packages: what is missing is installed with apt."""

import collections.abc
import contextlib
import importlib.util
import os
import pathlib
import subprocess

from tools.cloud import exception
from tools.cloud.model import settings as cloud_settings

_ALWAYS = ('rabbitmq-server', 'memcached')
_OF_DATABASE = {
    'mariadb': ('mariadb-server-core', 'mariadb-client-core'),
    'postgresql': ('postgresql',),
}
# Somebody else may be at it.
_APT = ('apt-get', '--quiet', '--quiet', '--option=DPkg::Lock::Timeout=300')
_MODULES = (
    pathlib.Path(__file__).parents[1] / 'production' / 'requirements.txt'
)
# Debian's seam for machines on which packages are not to start services.
_POLICY = pathlib.Path('/usr/sbin/policy-rc.d')
_OTHERS_POLICY = _POLICY.with_name('policy-rc.d.before-cloud')
_DENY = '#!/bin/sh\n# Of the cloud of nova_cyborg.\nexit 101\n'
# libvirt without what would start one with the machine, and what Nova's driver
# calls.
_OF_REAL_HOSTS = (
    'genisoimage',
    'libvirt-clients',
    'libvirt-daemon',
    'libvirt-daemon-driver-qemu',
    'python3-libvirt',
    'qemu-system-x86',
    'qemu-utils',
)


def require(settings: cloud_settings.Settings) -> None:
    """Install the packages that are missing.

    :param settings: how the cloud is to be made.
    :raises MissingPackages: if they cannot be installed.
    :raises MissingModules: if the Python environment lacks what it needs.
    :raises NotRoot: if somebody else than root asks.
    """
    if os.geteuid() != 0:
        raise exception.NotRoot()
    if importlib.util.find_spec('pyuwsgi') is None:
        raise exception.MissingModules(_MODULES)
    install(
        (
            *_ALWAYS,
            *_OF_DATABASE[settings.database],
            *(_OF_REAL_HOSTS if settings.real_hosts else ()),
        )
    )


def install(names: collections.abc.Iterable[str]) -> None:
    """Install the packages that are missing, as root.

    :param names: packages that are needed.
    :raises MissingPackages: if they cannot be installed.
    """
    # A run that was killed has left it.
    _put_policy_back()
    missing = [name for name in names if not _is_installed(name)]
    if not missing:
        return
    with _services_stay_down():
        _apt('update')
        _apt('install', '--yes', '--no-install-recommends', *missing)


def _is_installed(name: str) -> bool:
    try:
        done = subprocess.run(
            ['dpkg-query', '--show', '--showformat=${db:Status-Status}', name],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise exception.MissingPackages(
            [name], 'this is not a Debian or Ubuntu machine'
        ) from error
    return done.stdout == 'installed'


def _apt(command: str, *arguments: str) -> None:
    print(f'apt-get {command}', *arguments, flush=True)
    done = subprocess.run(
        [*_APT, command, *arguments],
        env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise exception.MissingPackages(
            [name for name in arguments if not name.startswith('-')],
            f'apt-get {command} says: {done.stdout.strip()[-2000:]}',
        )


@contextlib.contextmanager
def _services_stay_down() -> collections.abc.Iterator[None]:
    """Keep packages from starting their services while a block runs."""
    if _POLICY.exists():
        _POLICY.rename(_OTHERS_POLICY)
    try:
        _POLICY.write_text(_DENY)
        _POLICY.chmod(0o755)
        yield
    finally:
        _put_policy_back()


def _put_policy_back() -> None:
    """Have the machine's own policy again, if ours is in its place."""
    if _POLICY.exists() and _POLICY.read_text() == _DENY:
        _POLICY.unlink()
    if _OTHERS_POLICY.exists():
        _OTHERS_POLICY.rename(_POLICY)
