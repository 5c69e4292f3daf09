# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.production``: up, tests, audit, down.

The tests are the end-to-end ones, to which other arguments go, and those of
real guests; or tempest's.
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
        '--tempest',
        action='store_true',
        help='run tempest: the tests of device contexts, and stock suites, '
        'those of moves among them',
    )
    args, more = parser.parse_known_args()
    if args.tempest and more:
        parser.error(f'no test of tempest is chosen by {" ".join(more)}')
    signals.heed()
    report = progress.Progress()
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as parent:
        cloud = cloud_module.Cloud(pathlib.Path(parent, 'cloud'))
        try:
            _up(cloud, args.database, args.tempest, report)
            commands = (
                _tempest(cloud.folder, args.database)
                if args.tempest
                else _own_tests(more)
            )
            commands['audit'] = _audit(cloud.folder)
            if not args.tempest:
                # Nothing of what was before is in its way.
                commands['last guest'] = tuple(_GUEST.split())
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
    tempest: bool,
    report: progress.Progress,
) -> None:
    devices = [
        _DEVICES / 'compute1.yaml',
        _DEVICES / 'compute2.yaml',
        # The end-to-end tests speak of the first two.
        _TWICE,
        _TWICE,
    ]
    if not tempest:
        devices.append(_TESTS / 'real' / 'devices' / 'real1.yaml')
    cloud.up(
        wanted.Wanted(
            devices=devices,
            kind=kinds.PRODUCTION,
            database=database,
            real=0 if tempest else None,
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


def _own_tests(more: list[str]) -> dict[str, tuple[str, ...]]:
    return {
        'end-to-end tests': (
            *(*_PYTEST, 'tests/e2e', '--ignore=tests/e2e/embedded'),
            *more,
        ),
        'tests of real guests': (*_PYTEST, 'tests/real'),
    }


def _tempest(
    folder: pathlib.Path, database: str | None
) -> dict[str, tuple[str, ...]]:
    tempest = (*_CLOUD, f'--state={folder}', 'tempest')
    return {
        'tempest: device contexts': tempest,
        'tempest: stock suites': (
            *tempest,
            f'--include-list={_LISTS / "stock.txt"}',
            *_LEFT_OUT.get(database or '', ()),
        ),
        'tempest: stock moves': (
            *tempest,
            f'--include-list={_LISTS / "stock-moves.txt"}',
        ),
    }


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
