# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-exporter`` as a process of its own."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from nova_cyborg.fixture import database
from tests.functional import databases

PATIENCE = 60


@pytest.fixture
def conf(tmp_path):
    """A configuration file of cyborg-api."""
    url = databases.emptied()
    if url is None:
        url = database.sqlite_url(tmp_path / 'cyborg.sqlite')
        database.create_tables(url)
    path = tmp_path / 'cyborg.conf'
    path.write_text(f'[database]\nconnection = {url}\n')
    return path


def command(*arguments):
    return [sys.executable, '-m', 'nova_cyborg.cmd.exporter', *arguments]


def run(*arguments, cwd):
    return subprocess.run(
        command(*map(str, arguments)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=cwd,
        env={
            'HOME': str(cwd),
            'PATH': os.environ['PATH'],
            'PYTHONPATH': str(pathlib.Path(__file__).parents[3]),
        },
    )


@contextlib.contextmanager
def taken():
    """Have a port that somebody listens at."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port():
    with taken() as port:
        return port


def read(url):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = requests.get(url, timeout=PATIENCE)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return answer.headers['Content-Type'], answer.text


def test_it_serves_until_it_is_stopped(conf):
    port = free_port()
    process = subprocess.Popen(
        command('--config-file', str(conf), '--port', str(port)),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        kind, text = read(f'http://127.0.0.1:{port}/metrics')
    finally:
        process.send_signal(signal.SIGTERM)
        _out, log = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, log
    assert kind.startswith('text/plain')
    assert 'nova_cyborg_up 1.0' in text
    assert 'nova_cyborg_device_contexts{status="bound"} 0.0' in text
    assert f'Metrics are at http://127.0.0.1:{port}/metrics' in log


def test_once(conf, tmp_path):
    done = run('--config-file', conf, '--once', cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert 'nova_cyborg_up 1.0' in done.stdout.splitlines()


def test_once_without_tables(tmp_path):
    path = tmp_path / 'cyborg.conf'
    url = database.sqlite_url(tmp_path / 'empty.sqlite')
    path.write_text(f'[database]\nconnection = {url}\n')

    done = run('--config-file', path, '--once', cwd=tmp_path)

    assert done.returncode == 2
    assert 'nova_cyborg_up 0.0' in done.stdout.splitlines()
    assert 'The database could not be read for metrics' in done.stderr
    assert 'SELECT' not in done.stderr


def test_no_configuration(tmp_path):
    done = run('--once', cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, '')
    assert 'No configuration file of Cyborg was found' in done.stderr
    assert 'nova-cyborg-exporter --config-file PATH' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_port_that_is_taken(conf, tmp_path):
    with taken() as port:
        done = run('--config-file', conf, '--port', port, cwd=tmp_path)

    assert done.returncode == 2
    assert f'Port {port} at 127.0.0.1 cannot be listened at' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('port', ['0', '-1', 'x', '65536', '9' * 5000])
def test_what_is_no_port(conf, tmp_path, port):
    done = run('--config-file', conf, f'--port={port}', cwd=tmp_path)

    assert done.returncode == 2
    assert 'is no port' in done.stderr
