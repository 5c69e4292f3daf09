# SPDX-License-Identifier: Apache-2.0

"""The Python environment of a release, made with uv."""

import pathlib
import subprocess
import sys

from tools.cloud.machine import installation
from tools.seldom.matrix import releases

_UV = (sys.executable, '-m', 'uv')
_EXTRAS = '.[nova,cyborg,tempest]'
_REQUIREMENTS = ('test-requirements.txt', 'tools/cloud/requirements.txt')


def make(release: releases.Release, folder: pathlib.Path) -> pathlib.Path:
    """Make an environment with a release's services and nova_cyborg.

    :param release: the release.
    :param folder: where to make it; one that is there is brought up to date.
    :returns: its Python.
    :raises CalledProcessError: if what it needs cannot be installed.
    """
    _uv('venv', '--quiet', '--allow-existing', str(folder))
    python = folder / 'bin' / 'python'
    _uv(
        'pip',
        'install',
        '--quiet',
        f'--python={python}',
        f'--constraints={release.constraints}',
        *(f'--requirements={name}' for name in _REQUIREMENTS),
        f'--editable={_EXTRAS}',
    )
    return python


def choose_versions(release: releases.Release) -> None:
    """Write a release's constraints anew: services of today, old libraries.

    :param release: the release; not the newest, whose file is made otherwise.
    :raises CalledProcessError: if no versions fit.
    """
    heading = (
        f'# What the tests of {release.name} run on: the services as of '
        'today, libraries\n'
        f'# as of {release.libraries_until}. Written by '
        f'"tox -e matrix -- --choose-versions".\n'
    )
    # Of the client, no release before the newest has the one that is needed.
    recent = [_name(each) for each in release.services]
    recent.append('python-cyborgclient')
    found = _uv(
        'pip',
        'compile',
        '--quiet',
        '--no-header',
        '--no-annotate',
        f'--exclude-newer={release.libraries_until}',
        *(f'--exclude-newer-package={name}=9999-01-01' for name in recent),
        *(f'--extra={name}' for name in ('nova', 'cyborg', 'tempest')),
        'setup.py',
        *_REQUIREMENTS,
        '-',
        given='\n'.join(release.services),
    )
    release.constraints.write_text(heading + found)


def _name(requirement: str) -> str:
    return requirement.partition('=')[0]


def _uv(*arguments: str, given: str = '') -> str:
    return subprocess.run(
        [*_UV, *arguments],
        cwd=installation.ROOT,
        input=given,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
