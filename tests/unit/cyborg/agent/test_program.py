# SPDX-License-Identifier: Apache-2.0

"""Programs that clean slots: how they are run, and what ends them."""

import os
import subprocess
import time

import pytest

from nova_cyborg import exception
from nova_cyborg.cyborg.agent import program

SECONDS = 30


@pytest.fixture
def lock(tmp_path):
    return tmp_path / 'nova_cyborg' / 'cleaning' / 'slot.lock'


@pytest.fixture
def run(lock):
    def _run(script, *arguments, seconds=SECONDS):
        program.run(['/bin/sh', '-c', script, *arguments], seconds, lock)

    return _run


@pytest.fixture
def failure(run):
    def _failure(script, **options):
        with pytest.raises(exception.CleaningFailed) as caught:
            run(script, **options)
        return str(caught.value)

    return _failure


def test_it_gets_its_arguments_as_they_are(run, tmp_path):
    path = tmp_path / 'said'

    run('echo "$1" > "$0"', str(path), '$HOME; exit 1')

    assert path.read_text() == '$HOME; exit 1\n'


def test_nothing_is_there_to_be_read(run):
    run('! read -r line')


def test_what_it_prints_goes_nowhere(run):
    # More than a pipe holds.
    run('head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2')


@pytest.mark.parametrize(
    ('script', 'said'),
    [
        ('exit 3', 'It ended with status 3.'),
        ('echo a >&2; echo b >&2; exit 3', 'It ended with status 3. b'),
        ('printf "a\\n\\n" >&2; exit 3', 'It ended with status 3. a'),
        ('printf "a\\tb\\033" >&2; exit 3', 'It ended with status 3. a b'),
        ('printf "\\377" >&2; exit 3', 'It ended with status 3. \ufffd'),
        ('exit 124', 'It ended with status 124.'),
    ],
)
def test_it_fails(failure, script, said):
    assert failure(script) == said


def test_much_is_said(failure):
    found = failure('head -c 300000 /dev/zero | tr "\\0" a >&2; exit 1')

    assert len(found) == 255
    assert found.endswith('aaa')


def test_there_is_no_such_program(lock):
    with pytest.raises(
        exception.CleaningFailed, match=r'status 127.*nonesuch'
    ):
        program.run(['/nonesuch'], SECONDS, lock)


def test_there_is_no_timeout(lock, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))

    with pytest.raises(exception.CleaningFailed, match='could not be started'):
        program.run(['/bin/true'], SECONDS, lock)


def test_the_lock_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()

    with pytest.raises(exception.CleaningFailed, match='No lock'):
        program.run(['/bin/true'], SECONDS, tmp_path / 'file' / 'slot.lock')


@pytest.mark.parametrize(
    'script', ['exec sleep 600', 'trap "" TERM; while :; do sleep 1; done']
)
def test_it_takes_too_long(failure, script):
    begun = time.monotonic()

    assert failure(script, seconds=1) == 'It did not end within 1 s.'

    assert time.monotonic() - begun < SECONDS


def test_it_leaves_something_running(run, lock, tmp_path):
    go_on = tmp_path / 'go-on'
    wait = f'while ! test -e {go_on}; do sleep 0.1; done'

    run(f'setsid sh -c "{wait}" & exit 0')

    # It has the lock as well: nothing else is done to the slot.
    with pytest.raises(exception.CleaningUnderWay):
        run('exit 0')
    go_on.touch()
    # Whoever waits for the lock waits for its end.
    subprocess.run(['flock', lock, 'true'], check=True, timeout=SECONDS)
    run('exit 0')


def test_it_cannot_be_killed(failure, monkeypatch):
    monkeypatch.setattr(program, '_KILL_AFTER', 600)
    monkeypatch.setattr(program, '_PATIENCE', -600)

    found = failure(
        'echo "$$" >&2; trap "" TERM; while :; do sleep 1; done', seconds=1
    )

    sentence, _dot, pid = found.rpartition('. ')
    assert sentence == 'It did not end within 1 s'
    os.killpg(os.getpgid(int(pid)), 9)
