# SPDX-License-Identifier: Apache-2.0

"""The client, as doc/source/install/checkout.rst has it installed.

From a checkout, and from an index; with nothing of what services need.
"""

import collections.abc
import functools
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import zipfile

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
# Of a command, on a slow line.
_SECONDS = 500
_SCRIPTS = {
    'cyborg',
    'nova-cyborg-exporter',
    'nova-cyborg-manage',
    'nova-cyborg-status',
}
# What only services have.
_OF_SERVICES = {
    'nova',
    'openstack-cyborg',
    'oslo-messaging',
    'pecan',
    'sqlalchemy',
}
_CONFIGURATION = {'.conf', '.ini', '.sample', '.yaml'}
_VERSION = "import importlib.metadata as m; print(m.version('nova-cyborg'))"
_INSTALLED = """
import importlib.metadata, json
print(json.dumps([
    [each.metadata['Name'] for each in importlib.metadata.distributions()],
    [str(each) for each in importlib.metadata.files('nova-cyborg')],
]))
"""


def _run(*command: str | pathlib.Path) -> str:
    done = subprocess.run(
        [str(each) for each in command],
        # Not where the sources are: Python would take these.
        cwd='/',
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout


def _environment(folder: pathlib.Path) -> pathlib.Path:
    """Make a virtual environment; return where its commands are."""
    _run(sys.executable, '-m', 'venv', folder)
    return folder / 'bin'


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A clone: to build a package writes into the sources."""
    folder = tmp_path_factory.mktemp('checkout') / 'nova-cyborg'
    _run('git', 'clone', '--quiet', _ROOT, folder)
    return folder


@pytest.fixture(scope='module')
def packages(
    checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """The folder of an index, with a source archive and a wheel made of it."""
    folder = tmp_path_factory.mktemp('index')
    commands = _environment(tmp_path_factory.mktemp('build'))
    _run(commands / 'pip', 'install', '--quiet', 'build')
    target = folder / 'nova-cyborg'
    _run(commands / 'python', '-m', 'build', '--outdir', target, checkout)
    return folder


@pytest.fixture
def index(packages: pathlib.Path) -> collections.abc.Iterator[str]:
    """The address of the index."""
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(packages)
    )
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}/'
        server.shutdown()
        thread.join()


def _check(commands: pathlib.Path) -> None:
    """Check that there is a client, and nothing else."""
    _run(commands / 'pip', 'check')
    for client in (
        (commands / 'cyborg',),
        (commands / 'python', '-m', 'nova_cyborg.cli'),
    ):
        assert '  device-context-create  ' in _run(*client, '--help')
    create = ('accelerator', 'device', 'context', 'create')
    text = _run(commands / 'openstack', *create, '--help')
    assert f'usage: openstack {" ".join(create)}' in text

    names, files = json.loads(_run(commands / 'python', '-c', _INSTALLED))
    assert (
        not {each.lower().replace('.', '-') for each in names} & _OF_SERVICES
    )
    paths = [pathlib.PurePath(each) for each in files]
    scripts = {each.name for each in paths if each.parts[0] == '..'}
    assert scripts == _SCRIPTS
    assert not [each for each in paths if each.suffix in _CONFIGURATION]
    assert not (commands.parent / 'etc').exists()


def test_the_wheel_has_the_package_alone(packages: pathlib.Path) -> None:
    [wheel] = packages.glob('nova-cyborg/*.whl')
    assert len(list(packages.glob('nova-cyborg/*.tar.gz'))) == 1

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    folders = {name.partition('/')[0] for name in names}
    assert {each for each in folders if not each.endswith('.dist-info')} == {
        'nova_cyborg'
    }
    assert len(folders) == 2
    # What the migrations are made with is no Python.
    assert [name for name in names if name.endswith('.mako')]


def test_from_a_checkout(
    checkout: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    commands = _environment(tmp_path / 'client')
    constraints = checkout / 'constraints.txt'
    _run(
        *(commands / 'pip', 'install', '--quiet'),
        *('--constraint', constraints, checkout),
    )

    _check(commands)


def test_from_an_index(
    checkout: pathlib.Path,
    packages: pathlib.Path,
    index: str,
    tmp_path: pathlib.Path,
) -> None:
    commands = _environment(tmp_path / 'client')
    constraints = checkout / 'constraints.txt'
    _run(
        *(commands / 'pip', 'install', '--quiet'),
        *('--constraint', constraints),
        *('--extra-index-url', index, 'nova-cyborg'),
    )

    _check(commands)
    # Not what another index has by that name.
    [wheel] = packages.glob('nova-cyborg/*.whl')
    version = _run(commands / 'python', '-c', _VERSION).strip()
    assert version == wheel.name.split('-')[1]
