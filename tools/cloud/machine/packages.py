# SPDX-License-Identifier: Apache-2.0

"""The machine's packages: apt installs what is missing of bindep.txt."""

import collections.abc
import contextlib
import os
import pathlib
import shutil
import subprocess

from tools.cloud import exception
from tools.cloud.machine import installation

_LIST = installation.ROOT / 'bindep.txt'
_REQUIREMENTS = installation.ROOT / 'tools/cloud/production/requirements.txt'
# Somebody else may be at it.
_APT = ('apt-get', '--quiet', '--quiet', '--option=DPkg::Lock::Timeout=300')
# Debian's seam for machines on which packages are not to start services.
_POLICY = pathlib.Path('/usr/sbin/policy-rc.d')
_OTHERS_POLICY = _POLICY.with_name('policy-rc.d.before-cloud')
_DENY = '#!/bin/sh\n# Of the cloud of nova_cyborg.\nexit 101\n'


def require(*profiles: str) -> None:
    """Install the packages that are missing.

    :param profiles: those of bindep.txt that are needed.
    :raises MissingPackages: if they cannot be installed.
    :raises MissingModules: if the Python environment lacks what it needs.
    :raises NotRoot: if somebody else than root asks.
    """
    if os.geteuid() != 0:
        raise exception.NotRoot()
    # A run that was killed has left it.
    _put_policy_back()
    missing = _missing(profiles)
    if not missing:
        return
    with _services_stay_down():
        _apt('update')
        _apt('install', '--yes', '--no-install-recommends', *missing)


def _missing(profiles: tuple[str, ...]) -> list[str]:
    if shutil.which(_APT[0]) is None:
        raise exception.MissingPackages(
            profiles, 'this is not a Debian or Ubuntu machine'
        )
    try:
        done = subprocess.run(
            [
                installation.script('bindep'),
                '--brief',
                f'--file={_LIST}',
                *profiles,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise exception.MissingModules(_REQUIREMENTS) from error
    # 1 says that it names some.
    if done.returncode not in (0, 1) or done.stderr:
        raise exception.MissingPackages(profiles, done.stderr)
    return done.stdout.split()


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
