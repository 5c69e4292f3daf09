# SPDX-License-Identifier: Apache-2.0

"""``tempest run`` on a cloud."""

import collections.abc
import os
import pathlib
import signal
import subprocess
import sys

from tools.cloud import cloud as cloud_module
from tools.cloud.configs import base
from tools.cloud.tempest import facts as cloud_facts
from tools.cloud.tempest import options

OURS = r'^nova_cyborg\.tempest\.'

# What says which tests to run, long and short.
_SELECTIONS = (
    ('--regex', '-r'),
    ('--smoke', '-s'),
    ('--include-list', '--include_list'),
    ('--whitelist-file', '--whitelist_file'),
    ('--load-list', '--load_list'),
)
_WORKERS = ('--concurrency', '-w', '--serial', '-t', '--worker-file')
# A test has at most so many accelerators at a time.
_NEEDED = 2
_SECONDS_TO_END = 60


def run(
    cloud: cloud_module.Cloud, arguments: collections.abc.Sequence[str]
) -> int:
    """Run tempest, and show its progress.

    :param arguments: for ``tempest run``; the tests of device contexts are
        run unless they say which.
    :returns: tempest's exit status.
    :raises NotRunning: if the cloud is not up.
    :raises StepFailed: if the cloud lacks what no test can do without.
    """
    environment = cloud.environment('admin')
    facts = cloud_facts.Facts(environment)
    folder = cloud.folder / 'tempest'
    config = _prepare(folder, options.options(environment, facts, folder))
    print(f'tempest.conf: {config}', flush=True)
    command = [
        _script('tempest'),
        'run',
        *('--config-file', str(config)),
        *_selection(arguments),
        *_workers(arguments, facts),
        *arguments,
    ]
    status = _call(command, folder)
    if status:
        print(f'Log: {folder / "log" / "tempest.log"}', file=sys.stderr)
    return status


def _prepare(folder: pathlib.Path, content: base.Options) -> pathlib.Path:
    """Make the folder that tempest works in, and write tempest.conf."""
    if not (folder / '.stestr').exists():
        (folder / 'log').mkdir(parents=True, exist_ok=True)
        # Listing tests needs what running them would make.
        subprocess.run([_script('stestr'), 'init'], cwd=folder, check=True)
    config = folder / 'tempest.conf'
    base.write(config, content)
    return config


def _script(name: str) -> str:
    return str(pathlib.Path(sys.executable).with_name(name))


def _selection(arguments: collections.abc.Sequence[str]) -> list[str]:
    for names in _SELECTIONS:
        if _given(arguments, names):
            return []
    return ['--regex', OURS]


def _workers(
    arguments: collections.abc.Sequence[str], facts: cloud_facts.Facts
) -> list[str]:
    if _given(arguments, _WORKERS):
        return []
    there = sum(facts.accelerators()[options.resource_class(facts)])
    number = min(os.cpu_count() or 1, there // _NEEDED)
    return ['--concurrency', str(max(number, 1))]


def _given(
    arguments: collections.abc.Sequence[str],
    names: collections.abc.Sequence[str],
) -> bool:
    return any(
        argument.partition('=')[0] in names
        or (argument[:2] in names and not argument.startswith('--'))
        for argument in arguments
    )


def _call(command: list[str], folder: pathlib.Path) -> int:
    # In a group of its own, so that its workers end with it, whoever ends us.
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, 'PYTHONUNBUFFERED': '1'},
        start_new_session=True,
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            _end(process)
            raise


def _end(process: 'subprocess.Popen[bytes]') -> None:
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
