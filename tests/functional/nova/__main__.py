# SPDX-License-Identifier: Apache-2.0

"""Run the functional tests on Nova's side.

    python -m tests.functional.nova

They are run by stestr, as Nova's own are, in green threads or in native
threads. By default the run is as long as a gate of one small machine allows:
in native threads, without each kind of fault at each step; after that, in
green threads, the tests of what is done in threads. ``--mode`` runs all tests
in one kind, patterns run what they name in both. The last lines name those
that failed, and say how many passed.
"""

import argparse
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).parents[3]
MODES = {
    'threading': {'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
    'eventlet': {},
}
# What the default leaves out, by the mode: kinds of faults that Nova meets as
# it meets another one; others, at steps where the operation meets them at its
# main step; hints that the end-to-end tests have, too; and, in green threads,
# what is over before Nova does anything in a thread, or takes long.
_LEFT_OUT = {
    'threading': (
        r'test_faults\..*_(is_unavailable|is_garbled)$'
        r'|test_faults\..*\.test_(ask|begin|read|release|reserve|unbind)'
        r'_(is_\w+|arrives_late|kills)$'
        r'|test_faults\..*\.test_settle_(is_dropped|\w*late|kills)$'
        r'|test_faults\.\w*Beside\w*\..*_kills$'
        r'|test_placement_faults\..*(_is_dropped|candidates_is_lost)$'
        r'|test_database_faults\..*_is_not_reached$'
        # Not those of the table that each operation writes.
        r'(?<!device_allocations_is_not_reached)'
        r'|test_database_faults\..*\.test_(attach_handles|device_contexts'
        r'|device_profiles|extended_accelerator_requests)_'
        r'|test_nova_database_faults\.BootTest\.test_(create$|forget_|map_)'
        r'|test_early_refusal\.HintTest\.test_(unknown|malformed|same|two|too'
        r'|context_of_another|context_held_by_another)_'
    ),
    'eventlet': (
        r'test_(audit|binding|boot|early_refusal|\w*faults|lifecycle'
        r'|mediated_devices|mixed_versions|operations|own_accord|refusals'
        r'|scheduling|status|stock_accelerators|switch_off)\.'
        r'|CallsTest|\.(Late)?DuplicateTest'
    ),
}
# What Nova logs when a test is over, and its log is not kept any more.
_NOISE = re.compile(r' INFO nova\.thread_pool_factory |^Eventlet based conc')
_TOTAL = re.compile(r' - (Passed|Failed|Unexpected Success): (\d+)')
_FAILED = re.compile(r'\{\d+\} (\S+) \[.*\] \.\.\. FAILED')


def main() -> int:
    arguments = _parse()
    modes = list(MODES) if arguments.mode == 'both' else [arguments.mode]
    passed = failed = 0
    names = []
    for mode in modes:
        print(f'Nova with {mode}:', flush=True)
        options = ['--concurrency', str(arguments.concurrency)]
        if arguments.mode == 'both' and not arguments.filters:
            options += ['--exclude-regex', _LEFT_OUT[mode]]
        good, bad, failures = _run(mode, options + arguments.filters)
        passed, failed = passed + good, failed + bad
        names += [f'{name} with {mode}' for name in failures]
    for name in names:
        print(f'Failed: {name}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m tests.functional.nova', description=__doc__
    )
    parser.add_argument(
        '--mode',
        choices=[*MODES, 'both'],
        default='both',
        help='kind of threads in Nova, with all tests (default: both, with '
        'a part of them)',
    )
    parser.add_argument(
        '--concurrency',
        type=int,
        default=os.cpu_count() or 1,
        help='how many tests at a time (default: one a core)',
    )
    parser.add_argument(
        'filters', nargs='*', help='patterns of the tests to run'
    )
    return parser.parse_args()


def _run(mode: str, options: list[str]) -> tuple[int, int, list[str]]:
    """Run the tests in one mode.

    :returns: how many passed, how many failed, and the names of those.
    """
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as results:
        process = subprocess.Popen(
            _command(results, options),
            cwd=TOP,
            env=_environment(mode),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        totals = {'Passed': 0, 'Failed': 0, 'Unexpected Success': 0}
        failures = []
        for line in process.stdout:
            if not _NOISE.search(line):
                print(line, end='', flush=True)
            total = _TOTAL.match(line)
            if total:
                totals[total[1]] = int(total[2])
            failure = _FAILED.match(line)
            if failure:
                failures.append(failure[1])
        code = process.wait()
    failed = totals['Failed'] + totals['Unexpected Success']
    # stestr also fails when it cannot import a test, or finds none.
    return totals['Passed'], failed or int(code != 0), failures


def _command(results: str, options: list[str]) -> list[str]:
    return [
        *(sys.executable, '-m', 'stestr'),
        *('--test-path', 'tests/functional/nova', '--top-dir', '.'),
        *('--repo-url', results, 'run', *options),
    ]


def _environment(mode: str) -> dict[str, str]:
    # oslo.config takes options from the environment, too: the tests' own
    # default for this one is beside the sources, where a package has none.
    return {
        **os.environ,
        **MODES[mode],
        'OS_WSGI__API_PASTE_CONFIG': str(_paste_file()),
        'PYTHON': sys.executable,
        'PYTHONWARNINGS': 'ignore',
    }


def _paste_file() -> pathlib.Path:
    """Find Nova's api-paste.ini where the package has installed it."""
    for file in importlib.metadata.files('nova') or ():
        if file.name == 'api-paste.ini':
            return pathlib.Path(file.locate()).resolve()
    return pathlib.Path('/etc/nova/api-paste.ini')


if __name__ == '__main__':
    sys.exit(main())
