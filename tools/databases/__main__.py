# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.databases``: functional tests on database servers.

Other arguments go to pytest: instead of all that can run so, its tests.
"""

import argparse
import os
import subprocess
import sys

from tools.cloud import exception
from tools.cloud.machine import installation, packages
from tools.cloud.model import addresses
from tools.cloud.model import state as cloud_state
from tools.cloud.production.servers import database
from tools.command_line import progress, signals
from tools.databases import server

# Those in whose process Cyborg's database is.
_TESTS = tuple(
    f'tests/functional/{name}'
    for name in ('api', 'audit', 'crowd', 'inventory', 'reconciler')
)
_WORKERS = 2


def main() -> int:
    """Run the tests on each database.

    :returns: the exit status: that of the first that failed.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.databases', description=__doc__
    )
    parser.add_argument(
        '--database',
        choices=database.KINDS,
        help='the only kind of database to run them on',
    )
    args, more = parser.parse_known_args()
    signals.heed()
    report = progress.Progress()
    kinds = (args.database,) if args.database else database.KINDS
    try:
        packages.require(*kinds)
        statuses = [_run(kind, more, report) for kind in kinds]
    except exception.CloudError as error:
        print(error, file=sys.stderr)
        return 1
    return next(filter(None, statuses), 0)


def _run(kind: str, more: list[str], report: progress.Progress) -> int:
    with server.started(kind) as state:
        with report.step(f'{kind}: databases made'):
            for number in range(_WORKERS):
                server.create(state, f'cyborg_gw{number}')
        with report.step(f'{kind}: tests run'):
            return _pytest(state, more)


def _pytest(state: cloud_state.State, more: list[str]) -> int:
    paths = [each for each in more if each.startswith('tests')]
    return subprocess.call(
        (
            *(sys.executable, '-m', 'pytest', f'--numprocesses={_WORKERS}'),
            *(() if paths else _TESTS),
            *more,
        ),
        cwd=installation.ROOT,
        env={
            **os.environ,
            **installation.environment(),
            'NOVA_CYBORG_TEST_DATABASE': addresses.database(
                state, 'cyborg_{worker}'
            ),
        },
        stdin=subprocess.DEVNULL,
    )


if __name__ == '__main__':
    sys.exit(main())
