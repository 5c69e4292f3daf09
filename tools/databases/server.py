# SPDX-License-Identifier: Apache-2.0

"""A database server for the time of one run of tests."""

import collections.abc
import contextlib
import os
import pathlib
import secrets
import subprocess
import tempfile

from tools.cloud import exception, waiting
from tools.cloud.configs import base
from tools.cloud.machine import ports
from tools.cloud.model import settings
from tools.cloud.model import state as cloud_state
from tools.cloud.production.databases import migrations
from tools.cloud.production.servers import database
from tools.cloud.supervisor import processes

# What a server takes to start or to stop on a machine that is busy.
_SECONDS = 120


@contextlib.contextmanager
def started(kind: str) -> collections.abc.Iterator[cloud_state.State]:
    """Start a server, and stop it in the end.

    It is that of a production-like cloud which has no other program.

    :param kind: one of the kinds of databases.
    :returns: a context manager that gives the state of that cloud.
    :raises StepFailed: if the server does not start.
    """
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as folder:
        state = _state(pathlib.Path(folder), kind)
        server = database.server(state)
        server.prepare()
        with state.log('database').open('w') as log:
            process = subprocess.Popen(
                server.command(),
                stdout=log,
                stderr=log,
                env={**os.environ, **processes.mark(state.path)},
            )
        try:
            _wait(state, process)
            yield state
        finally:
            process.terminate()
            process.wait(_SECONDS)


def create(state: cloud_state.State, name: str) -> None:
    """Make a database with the tables of Cyborg and nova_cyborg.

    :param name: its name.
    :raises StepFailed: if the migrations fail.
    """
    # Of all characters, as SQLite's and PostgreSQL's.
    database.server(state).create(name, 'utf8mb4')
    options = {'database': base.database(state, name)}
    base.write(state.config('cyborg'), options)
    migrations.run_cyborg(state)


def _state(folder: pathlib.Path, kind: str) -> cloud_state.State:
    (port,) = ports.choose(1)
    state = cloud_state.State(
        folder,
        settings.Settings(
            kind='production',
            database=kind,
            hosts=[],
            plugin=True,
            ports={'database': port},
            passwords={'database': secrets.token_hex()},
        ),
    )
    state.save()
    return state


def _wait(
    state: cloud_state.State, process: 'subprocess.Popen[bytes]'
) -> None:
    def check() -> None:
        if process.poll() is not None:
            raise exception.StepFailed(
                state.log('database').read_text(), 'database'
            )

    waiting.until(
        'the database server to answer',
        database.server(state).program().is_ready,
        _SECONDS,
        check,
    )
