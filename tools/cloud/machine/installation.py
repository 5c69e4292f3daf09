# SPDX-License-Identifier: Apache-2.0

"""What is installed around us: packages, their files, the interpreter."""

import os
import pathlib
import shutil
import sys
import sysconfig

from tools.cloud import exception

# The repository: the services' processes import this package from there.
ROOT = pathlib.Path(__file__).resolve().parents[3]
# What is made once for all clouds.
CACHE = ROOT / '.cache'
MANAGE = 'nova-cyborg-manage'


def require_plugin() -> None:
    """Make sure that nova_cyborg can be loaded by the services.

    :raises NotInstalled: if it cannot.
    """
    if shutil.which(MANAGE, path=environment()['PATH']) is None:
        raise exception.NotInstalled()


def packaged(service: str, name: str) -> pathlib.Path:
    """Find a file that a service's package brings along.

    :param service: the service's name.
    :param name: the file's name.
    :returns: its path, in the environment or, for distributions, in /etc.
    :raises FileNotFoundError: if it is in none of them.
    """
    for base in (sysconfig.get_path('data') + '/etc', '/etc'):
        path = pathlib.Path(base, service, name)
        if path.exists():
            return path
    raise FileNotFoundError(f'{service} did not bring {name} along')


def script(name: str) -> str:
    """Return a command of the environment that everything runs in.

    :param name: the command.
    :returns: its path.
    """
    return str(pathlib.Path(sys.executable).with_name(name))


def environment() -> dict[str, str]:
    """Return the environment that the services' processes need.

    :returns: variables to set, beside those there are.
    """
    inherited = os.environ.get('PYTHONPATH')
    return {
        'PYTHONPATH': os.pathsep.join(filter(None, (str(ROOT), inherited))),
        'PATH': os.pathsep.join(
            (
                str(pathlib.Path(sys.executable).parent),
                os.environ.get('PATH', os.defpath),
            )
        ),
        'PYTHONUNBUFFERED': '1',
        'PYTHONWARNINGS': 'ignore',
    }
