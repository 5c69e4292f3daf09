# SPDX-License-Identifier: Apache-2.0

"""What is checked of the users' commands that are installed beside."""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import sys
import sysconfig

from nova_cyborg.checks import results

_SCRIPT = 'cyborg'
_PACKAGE = 'nova-cyborg'
# It is in the same folder, and nobody else has one of this name.
_BESIDE = 'nova-cyborg-status'
_OURS = re.compile('nova[-_]cyborg')
_AGAIN = (
    'install nova-cyborg again ("pip install --force-reinstall --no-deps '
    'nova-cyborg"). "python3 -m nova_cyborg.cli" always works in its place.'
)


def script() -> results.Result:
    """Check that the script ``cyborg`` is ours, and nobody else's.

    That of python-cyborgclient before 3.0 has the same path, which pip minds
    neither when the script is written nor when it is removed.
    """
    others = _other_owners()
    if others:
        return results.warning(
            f'The script {_SCRIPT} is of {" and ".join(others)}, too. The one '
            'that was installed last has it, and with the one that is '
            'upgraded or removed it is gone. Upgrade python-cyborgclient to '
            f'3.0 or later, and then {_AGAIN}'
        )
    folder = _folder()
    if folder is None:
        return results.success('No scripts are installed here.')
    try:
        text = (folder / _SCRIPT).read_text(errors='replace')
    except OSError:
        return results.warning(
            f'There is no script {folder / _SCRIPT}: another package had one, '
            f'and was upgraded or removed. If it is needed here, {_AGAIN}'
        )
    if not _OURS.search(text):
        return results.warning(
            f'The script {folder / _SCRIPT} is not that of nova-cyborg. If '
            f'that is needed here, {_AGAIN}'
        )
    return results.success(f'{folder / _SCRIPT} is that of nova-cyborg.')


def _other_owners() -> list[str]:
    named = importlib.metadata.entry_points(
        group='console_scripts', name=_SCRIPT
    )
    return sorted(
        {
            f'{each.dist.name} {each.dist.version}'
            for each in named
            if each.dist and each.dist.name.replace('_', '-') != _PACKAGE
        }
    )


def _folder() -> pathlib.Path | None:
    # The scripts of a distribution's packages are where Python's own are not.
    for folder in (
        pathlib.Path(sys.argv[0]).parent,
        pathlib.Path(sysconfig.get_path('scripts')),
    ):
        if (folder / _BESIDE).exists():
            return folder
    return None
