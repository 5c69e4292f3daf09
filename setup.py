# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil

import setuptools

_HERE = pathlib.Path(__file__).parent
# "git archive" writes into it what git knows.
_ARCHIVE = _HERE / '.git_archival.txt'
_TAG = re.compile(r'describe: ([0-9.]+[0-9])(?:-([0-9]+)-g[0-9a-f]+)?')
_COMMIT = re.compile(r'commit: ([0-9a-f]+)')
_NO_VERSION = """
The version of nova-cyborg is not known, so that it cannot be built: here is
neither a clone (with git installed) nor what was made for a release or by
"git archive". Say which version it is to be, as in

    PBR_VERSION=1.0.0 python3 -m pip install .
"""


def _archived_version():
    """Return the version of an archive, as pbr would count; None if none."""
    text = _ARCHIVE.read_text() if _ARCHIVE.exists() else ''
    tag, commit = _TAG.search(text), _COMMIT.search(text)
    if tag and not tag[2]:
        return tag[1]
    if tag:
        *first, last = tag[1].split('.')
        return '.'.join([*first, str(int(last) + 1)]) + f'.dev{tag[2]}'
    # Nothing was released before, or git is too old to say what.
    return f'0.0.1.dev0+g{commit[1]}' if commit else None


def _is_known():
    is_clone = (_HERE / '.git').exists() and shutil.which('git')
    return bool(
        os.environ.get('PBR_VERSION')
        or is_clone
        or (_HERE / 'PKG-INFO').exists()
    )


if not _is_known():
    found = _archived_version()
    if not found:
        raise SystemExit(_NO_VERSION)
    os.environ['PBR_VERSION'] = found

setuptools.setup(setup_requires=['pbr>=2.0.0'], pbr=True)
