# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.seldom.matrix``: the tests with each release of OpenStack.

Each release has an environment of its own.
"""

import argparse
import pathlib
import subprocess
import sys
import time

from tools.cloud.machine import installation
from tools.command_line import progress
from tools.seldom.matrix import environment, releases

_FOLDER = installation.ROOT / '.tox'
# A suite and its commands; {threads} is what the release can have.
_SUITES: dict[str, tuple[tuple[str, ...], ...]] = {
    'unit': (('-m', 'pytest', '--numprocesses', 'auto', 'tests/unit'),),
    'functional': (
        ('-m', 'pytest', 'tests/functional'),
        ('-m', 'tests.functional.nova', '--mode', '{threads}'),
    ),
}


def main() -> int:
    """Run the tests.

    :returns: the exit status: 1 if a suite failed with a release.
    """
    arguments = _parse()
    chosen = [
        releases.RELEASES[name]
        for name in arguments.release or releases.RELEASES
    ]
    try:
        if arguments.choose_versions:
            for release in chosen:
                if release is not releases.NEWEST:
                    environment.choose_versions(release)
            return 0
        return _test(chosen, arguments.suite or list(_SUITES))
    except subprocess.CalledProcessError as error:
        # uv has said why.
        return int(error.returncode)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tools.seldom.matrix', description=__doc__
    )
    parser.add_argument(
        'release',
        nargs='*',
        metavar='RELEASE',
        help=f'of {", ".join(releases.RELEASES)} (default: all of them)',
    )
    parser.add_argument(
        '--suite',
        action='append',
        choices=list(_SUITES),
        help='which tests, can be repeated (default: all of them)',
    )
    parser.add_argument(
        '--choose-versions',
        action='store_true',
        help='write the constraints anew instead of running tests',
    )
    arguments = parser.parse_args()
    # As "choices", argparse would refuse that there is none.
    for name in arguments.release:
        if name not in releases.RELEASES:
            known = ', '.join(releases.RELEASES)
            parser.error(f'there is no release {name!r}; choose of {known}')
    return arguments


def _test(chosen: list[releases.Release], suites: list[str]) -> int:
    report = progress.Progress()
    lines = []
    failed = False
    for release in chosen:
        with report.step(f'{release.name}: environment'):
            folder = _FOLDER / f'matrix-{release.name}'
            python = environment.make(release, folder)
        for suite in suites:
            start = time.monotonic()
            passed = _run(python, release, suite)
            failed = failed or not passed
            lines.append(
                f'{release.name}  {suite:10}  '
                f'{"passed" if passed else "FAILED"}  '
                f'{time.monotonic() - start:5.0f} s'
            )
            print(lines[-1], flush=True)
    print('\n'.join(['', *lines]), flush=True)
    return int(failed)


def _run(python: pathlib.Path, release: releases.Release, suite: str) -> bool:
    statuses = [
        subprocess.call(
            [
                str(python),
                *(part.format(threads=release.threads) for part in command),
            ],
            cwd=installation.ROOT,
            stdin=subprocess.DEVNULL,
        )
        # All of them, whatever becomes of the first.
        for command in _SUITES[suite]
    ]
    return not any(statuses)


if __name__ == '__main__':
    sys.exit(main())
