# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.production``: up, all suites, audit, down.

Arguments go to the end-to-end tests.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tools.cloud import cloud as cloud_module
from tools.cloud import exception, kinds, wanted
from tools.cloud.machine import installation
from tools.cloud.production.hosts.real import guests
from tools.command_line import progress, signals
from tools.production import leftovers

_TESTS = installation.ROOT / 'tests'
_DEVICES = _TESTS / 'e2e' / 'devices'
_TWICE = pathlib.Path(__file__).with_name('devices.yaml')
# In the environment of the tests.
_LOGS = pathlib.Path(sys.prefix, 'cloud')
_PYTEST = (sys.executable, '-m', 'pytest')
_CLOUD = (sys.executable, '-m', 'tools.cloud')
_LISTS = installation.ROOT / 'tools' / 'cloud' / 'tempest'
# What stock Cyborg cannot do with a kind of database.
_LEFT_OUT = {
    'postgresql': (f'--exclude-list={_LISTS / "stock-not-postgresql.txt"}',),
}
# What takes long, and is of the suites of moves.
_MOVES = (
    r'^nova_cyborg\.tempest\.tests\.scenario\.test_(cold_moves|live_migration)'
)
# What is to end with the cloud.
_GUEST = (
    'openstack server create --wait --flavor m1.tiny --nic none '
    f'--image {guests.IMAGE} last'
)


def main() -> int:
    """Run it all.

    :returns: the exit status: that of the first that failed.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.production', description=__doc__
    )
    parser.add_argument('--database', metavar='NAME', help='kind of database')
    parser.add_argument(
        '--moves',
        action='store_true',
        help="nothing but tempest's own tests of moves, and those of device "
        'contexts on servers',
    )
    args, more = parser.parse_known_args()
    signals.heed()
    report = progress.Progress()
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as parent:
        cloud = cloud_module.Cloud(pathlib.Path(parent, 'cloud'))
        try:
            _up(cloud, args.database, args.moves, report)
            commands = (
                _moves(cloud.folder)
                if args.moves
                else _commands(cloud.folder, args.database, more)
            )
            status = _run_all(cloud, commands, report)
        except exception.CloudError as error:
            print(error, file=sys.stderr)
            _keep_logs(cloud)
            status = 1
        finally:
            cloud.down()
        left = leftovers.find(cloud.folder)
    if left:
        print('Of the cloud are left:', *left, sep='\n', file=sys.stderr)
    return status or bool(left)


def _up(
    cloud: cloud_module.Cloud,
    database: str | None,
    moves: bool,
    report: progress.Progress,
) -> None:
    devices = [
        _DEVICES / 'compute1.yaml',
        _DEVICES / 'compute2.yaml',
        # The end-to-end tests speak of the first two.
        _TWICE,
        _TWICE,
    ]
    if not moves:
        devices.append(_TESTS / 'real' / 'devices' / 'real1.yaml')
    cloud.up(
        wanted.Wanted(
            devices=devices,
            kind=kinds.PRODUCTION,
            database=database,
            real=0 if moves else None,
        ),
        report,
    )


def _run_all(
    cloud: cloud_module.Cloud,
    commands: dict[str, tuple[str, ...]],
    report: progress.Progress,
) -> int:
    for what, command in commands.items():
        print(f'--- {what}', flush=True)
        status = _run(cloud, command)
        if status:
            print(f'{what}: failed with status {status}', file=sys.stderr)
            _keep_logs(cloud)
            return status
        with report.step(what):
            pass
    return 0


def _commands(
    folder: pathlib.Path, database: str | None, more: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return the suites, and what comes after them, in order."""
    tempest = _tempest(folder)
    return {
        'end-to-end tests': (
            *(*_PYTEST, 'tests/e2e', '--ignore=tests/e2e/embedded'),
            *more,
        ),
        'tests of real guests': (*_PYTEST, 'tests/real'),
        'tempest: device contexts': (*tempest, f'--exclude-regex={_MOVES}'),
        'tempest: stock suites': (
            *tempest,
            f'--include-list={_LISTS / "stock.txt"}',
            *_LEFT_OUT.get(database or '', ()),
        ),
        'audit': _audit(folder),
        'last guest': tuple(_GUEST.split()),
    }


def _moves(folder: pathlib.Path) -> dict[str, tuple[str, ...]]:
    """Return the suites of moves, and what comes after them, in order."""
    tempest = _tempest(folder)
    return {
        'tempest: servers with device contexts': (
            *tempest,
            r'--regex=^nova_cyborg\.tempest\.tests\.scenario\.',
        ),
        'tempest: stock moves': (
            *tempest,
            f'--include-list={_LISTS / "stock-moves.txt"}',
        ),
        'audit': _audit(folder),
    }


def _tempest(folder: pathlib.Path) -> tuple[str, ...]:
    return (*_CLOUD, f'--state={folder}', 'tempest')


def _audit(folder: pathlib.Path) -> tuple[str, ...]:
    return (
        installation.MANAGE,
        f'--config-file={folder}/etc/cyborg/cyborg.conf',
        'audit',
    )


def _keep_logs(cloud: cloud_module.Cloud) -> None:
    """Copy what tells why, before it goes with the cloud."""
    shutil.rmtree(_LOGS, ignore_errors=True)
    for folder in ('log', 'tempest/log'):
        if (cloud.folder / folder).exists():
            shutil.copytree(cloud.folder / folder, _LOGS / folder)
    if _LOGS.exists():
        print(f'Logs: {_LOGS}', file=sys.stderr)


def _run(cloud: cloud_module.Cloud, command: tuple[str, ...]) -> int:
    return subprocess.call(
        command,
        cwd=installation.ROOT,
        env={
            **os.environ,
            **installation.environment(),
            **cloud.environment('demo'),
            'NOVA_CYBORG_E2E_CLOUD': str(cloud.folder),
        },
        stdin=subprocess.DEVNULL,
    )


if __name__ == '__main__':
    sys.exit(main())
