# SPDX-License-Identifier: Apache-2.0

"""Run the functional tests on Nova's side.

    python -m tests.functional.nova

They are run by stestr, as Nova's own are, in green threads or in native
threads. The default is what fits into a gate of one small machine: in native
threads, all but what is in the folder ``every``, most faults, and Nova's own
tests of accelerators; in green threads, what is in the folder ``threads``.
``--mode`` runs all tests in one kind, patterns run what they name in both. The
last lines name those that failed, and say how many passed.
"""

import argparse
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from tools.command_line import numbers

TOP = pathlib.Path(__file__).parents[3]
MODES = {
    'threading': {'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
    'eventlet': {},
}
# What takes too long for the default.
_LONG = (
    'alternatives.test_attach.AttachTest.test_too_much_to_choose_from',
    'alternatives.test_boot.BootTest.test_what_could_be_had_is_explained',
    'alternatives.test_boot.SeveralTest.test_two_device_contexts',
    'alternatives.test_moves.AlternateTest',
    'alternatives.test_moves.LiveTest.test_none_of_the_same_is_free',
    'alternatives.test_moves.MoveTest.test_nothing_is_left_anywhere',
    'alternatives.test_moves.MoveTest.test_the_audit_ends_a_move',
    'every',
    'explaining.test_cases.OneHostTest.test_a_forbidden_trait',
    'explaining.test_cases.OneHostTest.test_all_with_the_trait_are_used',
    'explaining.test_cases.OneHostTest.test_no_device_is_of_the_class',
    'explaining.test_cases.OneHostTest.test_two_traits_that_no_device_has_both_of',
    'explaining.test_cases.OneHostTest.test_what_the_flavor_requires_of_the_host',
    'explaining.test_cases.TwoHostsTest.test_no_host_has_all_contexts',
    'explaining.test_moves.MoveTest.test_migrate_when_all_are_used',
    'explaining.test_moves.MoveTest.test_resize',
    'hot.test_afterwards',
    'hot.test_attach.ManyTest',
    'hot.test_cells',
    'hot.test_detach',
    'hot.test_faults',
    'hot.test_guests',
    'hot.test_moves',
    'hot.test_operations',
    'hot.test_races.OneServerTest',
    'hot.test_races.TwoServersTest',
    'hot.test_stale',
    'hot.test_tags',
    'moves.test_cold.MoveTest.test_confirmed_by_nova_itself',
    'moves.test_cold.MoveTest.test_delete_before_it_is_confirmed',
    'moves.test_cold.MoveTest.test_resize_to_a_named_host_and_back',
    'moves.test_cold.MoveTest.test_stopped_servers',
    'moves.test_cold.SameHostTest',
    'moves.test_failures',
    'moves.test_faults',
    'moves.test_interrupted',
    'moves.test_live.LiveTest.test_what_is_done_after_it',
    'moves.test_live.RefusalTest',
    'moves.test_live_failures',
    'moves.test_live_messages',
    'moves.test_messages',
    'moves.test_native',
    'recovery.test_builds',
    'recovery.test_unfinished.UnfinishedTest.test_cyborg_fails_some_times',
    'recovery.test_unfinished.UnfinishedTest.test_one_that_goes_with_its_contexts',
    'test_database_faults',
    'test_duplicates',
    'test_faults.DeleteTest',
    'test_faults.OffloadTest',
    'test_faults.UndoneBootTest',
    'test_faults.UndoneEvacuateTest',
    'test_faults.UndoneUnshelveTest',
    'test_faults.UnshelveTest',
    'test_gate.RefusalTest',
    'test_gate.WhoCanTest',
    'test_late_failures',
    'test_missing_devices',
    'test_mixed_versions',
    'test_nova_database_faults',
    'test_nova_faults',
    'test_operations.DeleteTest',
    'test_operations.EvacuateTest',
    'test_own_accord',
    'test_placement_faults',
    'test_stock_accelerators',
    'test_suspend.ResumeTest',
    'test_suspend.SuspendTest.test_a_guest_that_cannot_be_saved',
    'test_suspend.SuspendTest.test_a_guest_that_keeps_a_device',
    'test_suspend.SuspendTest.test_devices_without_an_alias',
    'test_suspend.SuspendTest.test_its_guest_is_lost_with_its_host',
    'test_suspend.SuspendTest.test_what_can_be_done_with_a_suspended_server',
)
# The tests of the default, by the mode.
_DEFAULT = {
    'threading': (
        '--exclude-regex',
        rf'\.nova\.({"|".join(map(re.escape, _LONG))})(\.|$)',
    ),
    'eventlet': (r'\.nova\.threads\.',),
}
# What Nova logs when a test is over, and its log is not kept any more.
_NOISE = re.compile(r' INFO nova\.thread_pool_factory |^Eventlet based conc')
_TOTAL = re.compile(r' - (Passed|Failed|Unexpected Success): (\d+)')
_RAN = re.compile(r'Ran: (\d+) tests? in ')
_FAILED = re.compile(r'\{\d+\} (\S+) \[.*\] \.\.\. FAILED')


def main() -> int:
    arguments = _parse()
    modes = list(MODES) if arguments.mode == 'both' else [arguments.mode]
    passed = failed = 0
    names = []
    for mode in modes:
        print(f'Nova with {mode}:', flush=True)
        options = list(arguments.filters)
        if arguments.mode == 'both' and not options:
            options += _DEFAULT[mode]
        good, bad, failures = _run(mode, arguments.concurrency, options)
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
        type=numbers.positive,
        # Half of the time, a test waits.
        default=2 * (os.cpu_count() or 1),
        help='how many tests at a time (default: two a core)',
    )
    parser.add_argument(
        'filters', nargs='*', help='patterns of the tests to run'
    )
    return parser.parse_args()


def _run(
    mode: str, concurrency: int, options: list[str]
) -> tuple[int, int, list[str]]:
    """Run the tests in one mode.

    stestr takes no notice of a process that dies, with which the tests are
    gone that were its to run: they have failed.

    :returns: how many passed, how many failed, and the names of those.
    """
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as results:
        missing = _count(results, mode, options)
        process = subprocess.Popen(
            _command(
                results, 'run', '--concurrency', str(concurrency), *options
            ),
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
            ran = _RAN.match(line)
            if ran:
                missing -= int(ran[1])
            failure = _FAILED.match(line)
            if failure:
                failures.append(failure[1])
        code = process.wait()
    failed = totals['Failed'] + totals['Unexpected Success']
    if missing > 0:
        print(f'{missing} tests did not run to the end: a process has died')
        failed += missing
    # stestr also fails when it cannot import a test, or finds none.
    return totals['Passed'], failed or int(code != 0), failures


def _count(results: str, mode: str, options: list[str]) -> int:
    """Count the tests that are to run."""
    for command in ('init',), ('list', *options):
        listed = subprocess.run(
            _command(results, *command),
            cwd=TOP,
            env=_environment(mode),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # What is wrong is said when they run.
            check=False,
        ).stdout
    return sum(line.startswith('tests.') for line in listed.splitlines())


def _command(results: str, *command: str) -> list[str]:
    return [
        *(sys.executable, '-m', 'stestr'),
        *('--test-path', 'tests/functional/nova', '--top-dir', '.'),
        *('--repo-url', results, *command),
    ]


def _environment(mode: str) -> dict[str, str]:
    # oslo.config takes options from the environment, too: the tests' own
    # default for this one is beside the sources, where a package has none.
    environment = dict(os.environ)
    if mode == 'eventlet':
        # Coverage does not know of green threads unless it is told, and then
        # it can loop for ever when a native thread ends. What is done in
        # green threads is done in native ones, too.
        environment.pop('COVERAGE_PROCESS_CONFIG', None)
    return {
        **environment,
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
