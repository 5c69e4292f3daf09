# SPDX-License-Identifier: Apache-2.0

"""What a run was made on: absolute times say nothing without it."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess

import psutil
import sqlalchemy

from tools.cloud.machine import installation

_PACKAGES = ('nova', 'openstack-cyborg', 'openstack-placement', 'nova-cyborg')


def describe() -> dict[str, str]:
    """Describe this machine, and what is installed on it.

    :returns: what there is to say, by what it is about.
    """
    memory = psutil.virtual_memory().total / 2**30
    # Others may have used it, too.
    load = ', '.join(f'{each:.1f}' for each in os.getloadavg())
    return {
        'processor': _processor(),
        'cores': str(os.cpu_count()),
        'memory': f'{memory:.0f} GiB',
        'system': f'{platform.system()} {platform.release()}',
        'Python': platform.python_version(),
        'load before': load,
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        'commit': _commit(),
    }


def database(url: str) -> str:
    """Return the name and the release of a database server.

    :param url: the address of one of its databases.
    """
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    name = engine.dialect.name
    with engine.connect() as connection:
        if name == 'sqlite':
            found = connection.scalar(
                sqlalchemy.text('SELECT sqlite_version()')
            )
        else:
            found = connection.scalar(sqlalchemy.text('SELECT version()'))
    return f'{name} {found}'


def _processor() -> str:
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        name, _colon, value = line.partition(':')
        if name.strip() == 'model name':
            return value.strip()
    return platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ['git', 'describe', '--always', '--dirty'],
        cwd=installation.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or 'unknown'
