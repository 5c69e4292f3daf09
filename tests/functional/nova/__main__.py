# SPDX-License-Identifier: Apache-2.0

"""Run the functional tests on Nova's side.

    python -m tests.functional.nova

They are run by stestr, as Nova's own are, in green threads or in native
threads. The default is what fits into a gate of one small machine: in native
threads, the main lines of what a server goes through, and a few faults; in
green threads, what is in the folder ``threads``. ``--mode`` runs all tests in
one kind, patterns run what they name in both. The last lines name those that
failed, and say how many passed.
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
# What a server goes through, each refusal once, and a fault of each kind.
_SHORT = (
    'alternatives.test_boot.BootTest.test_others_cost_what_they_did',
    'alternatives.test_boot.BootTest.test_the_first_then_the_second_then_none',
    'explaining.test_cases.OneHostTest'
    '.test_as_many_questions_for_any_number_of_devices',
    'explaining.test_cases.OneHostTest.test_unshelve_finds_no_host',
    'hot.test_attach.AttachTest.test_a_server_that_is_stopped',
    'hot.test_attach.AttachTest.test_a_server_that_runs',
    'hot.test_attach.BootedWithTest',
    'hot.test_calls',
    'hot.test_requests.RequestTest.test_other_projects',
    'hot.test_requests.RequestTest.test_what_is_wrong',
    'moves.test_calls.CallsTest.test_none_for_a_server_without_device_contexts',
    'moves.test_calls.MovesTest'
    '.test_two_of_nova_conductor_and_of_each_nova_compute',
    'moves.test_faults.MigrateTest.test_bind_kills_when_it_is_done',
    'moves.test_live.CallsTest',
    'recovery.test_unfinished.UnfinishedTest.test_a_server_is_deleted',
    'test_audit.MigrationTest',
    'test_binding',
    'test_boot',
    'test_combinations.CombinationsTest.test_the_profile_of_the_flavor_counts',
    'test_device_profiles',
    'test_faults.BootTest.test_bind_kills_when_it_is_done',
    'test_faults.EvacuateTest.test_bind_kills_when_it_is_done',
    'test_fixture_example',
    'test_limits.UnifiedLimitsTest.test_contexts_are_added_up',
    'test_mediated_devices',
    'test_operations.DeleteWhileBuildingTest',
    'test_operations.RescheduleTest.test_all_hosts',
    'test_operations.ShelveTest.test_there_and_back',
    'test_operations.StayTest.test_power',
    'test_plain_servers',
    'test_reconciler.ReconcilerTest'
    '.test_a_server_that_was_deleted_while_cyborg_was_down',
    'test_refusals.CyborgTest',
    'test_refusals.HintTest.test_a_context_held_by_another_server',
    'test_refusals.HintTest.test_hints_of_other_shapes',
    'test_scheduling',
    'test_status.StatusTest.test_cyborg_is_all_right',
    'test_suspend.SuspendTest.test_suspend_and_resume',
    'test_switch_off.SwitchOffTest.test_cyborg_without_it_unbinds_the_device',
    'test_without_compute.LocalDeleteTest.test_cyborg_fails_at_first',
    'threads',
)
# The tests of the default, by the mode.
_DEFAULT = {'threading': _SHORT, 'eventlet': ('threads',)}
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
        filters = list(arguments.filters)
        if arguments.mode == 'both' and not filters:
            filters = [_pattern(name) for name in _DEFAULT[mode]]
        good, bad, failures = _run(mode, arguments.concurrency, filters)
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
    mode: str, concurrency: int, filters: list[str]
) -> tuple[int, int, list[str]]:
    """Run the tests in one mode.

    stestr takes no notice of a process that dies, with which the tests are
    gone that were its to run: they have failed. So has a pattern that matches
    no test.

    :returns: how many passed, how many failed, and the names of those.
    """
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as results:
        found = _list(results, mode, filters)
        missing = len(found)
        failures = [
            pattern
            for pattern in filters
            if not any(re.search(pattern, name) for name in found)
        ]
        process = subprocess.Popen(
            _command(
                results, 'run', '--concurrency', str(concurrency), *filters
            ),
            cwd=TOP,
            env=_environment(mode),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        totals = {'Passed': 0, 'Failed': 0, 'Unexpected Success': 0}
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
    failed = max(
        totals['Failed'] + totals['Unexpected Success'], len(failures)
    )
    if missing > 0:
        print(f'{missing} tests did not run to the end: a process has died')
        failed += missing
    # stestr also fails when it cannot import a test, or finds none.
    return totals['Passed'], failed or int(code != 0), failures


def _pattern(name: str) -> str:
    return rf'\.nova\.{re.escape(name)}(\.|$)'


def _list(results: str, mode: str, filters: list[str]) -> list[str]:
    """Return the names of the tests that are to run."""
    for command in ('init',), ('list', *filters):
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
    return [line for line in listed.splitlines() if line.startswith('tests.')]


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
