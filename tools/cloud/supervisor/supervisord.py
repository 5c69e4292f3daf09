# SPDX-License-Identifier: Apache-2.0

"""The process supervisor: supervisord, and calls to it."""

import collections.abc
import contextlib
import http.client
import os
import pathlib
import signal
import subprocess
import sys
import xmlrpc.client
from typing import Any

from tools.cloud import exception, waiting
from tools.cloud.machine import ports
from tools.cloud.model import programs
from tools.cloud.model import state as cloud_state
from tools.cloud.supervisor import config, processes

_PROGRAM = 'supervisor.supervisord'
_START_SECONDS = 20
_STOP_SECONDS = 90
# Longer than any program has before it is killed.
_STOP_ONE_SECONDS = 60
_UNREACHABLE = (OSError, http.client.HTTPException, xmlrpc.client.Error)


class Supervisor:
    """The supervisor of a cloud."""

    def __init__(self, state: cloud_state.State) -> None:
        self._state = state
        port = state.settings.ports['supervisor']
        password = state.settings.passwords['supervisor']
        self._proxy: Any = xmlrpc.client.ServerProxy(
            f'http://{config.USER}:{password}@{ports.HOST}:{port}/RPC2'
        ).supervisor

    def start(self, every: collections.abc.Sequence[programs.Program]) -> None:
        """Start the supervisor, and with it the services.

        :param every: all of their programs.
        :raises StepFailed: if it does not answer.
        """
        config.write(self._state, every)
        path = str(config.path(self._state.path))
        with self._state.log('supervisord-start').open('w') as log:
            # It makes itself a daemon; a session of its own spares it the
            # terminal's Ctrl-C before it has.
            code = subprocess.call(
                [sys.executable, '-m', _PROGRAM, '-c', path],
                cwd=self._state.path,
                env={**os.environ, **processes.mark(self._state.path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if code:
            raise exception.StepFailed(
                'The supervisor does not start.', 'supervisord-start'
            )
        waiting.until('the supervisor', self._answers, _START_SECONDS)

    def processes(self) -> list[dict[str, Any]]:
        """Return what the supervisor knows of the services' processes.

        :returns: supervisord's information about each.
        :raises StepFailed: if it does not answer.
        """
        try:
            found: list[dict[str, Any]] = self._proxy.getAllProcessInfo()
        except _UNREACHABLE as error:
            raise exception.StepFailed(
                f'The supervisor does not answer: {error}', 'supervisord'
            ) from error
        return found

    def check(
        self, names: collections.abc.Container[str] | None = None
    ) -> None:
        """Make sure that no program has ended by itself.

        :param names: which programs; all by default.
        :raises StepFailed: if one has.
        """
        for process in self.processes():
            name = process['name']
            if names is not None and name not in names:
                continue
            if process['statename'] in programs.ENDED:
                raise exception.StepFailed(f'{name} has ended.', name)

    def start_service(self, name: str) -> None:
        """Start what does not run of a service.

        :param name: its name, or that of one of its programs.
        """
        for process in self._of(name):
            if process['statename'] != programs.RUNNING:
                # It may have ended by itself, and left this.
                self._state.ready(process['name']).unlink(missing_ok=True)
                self._proxy.startProcess(_full_name(process))

    def stop_service(self, name: str) -> None:
        """Stop what runs of a service, and wait until it has ended.

        :param name: its name, or that of one of its programs.
        :raises StepFailed: if it does not end.
        """
        for process in self._of(name):
            if process['statename'] == programs.RUNNING:
                # Not one after the other.
                self._proxy.stopProcess(_full_name(process), False)
        self._wait_for_end(name)

    def kill_service(self, name: str) -> None:
        """Send SIGKILL to all processes of a service, workers included.

        :param name: its name, or that of one of its programs.
        :raises StepFailed: if one stays.
        """
        names = [process['name'] for process in self._of(name)]
        processes.kill(self._state.path, *names)
        self._wait_for_end(name)

    def _of(self, name: str) -> list[dict[str, Any]]:
        return [
            process
            for process in self.processes()
            if name in (process['name'], process['group'])
        ]

    def _wait_for_end(self, name: str) -> None:
        waiting.until(
            f'{name} to end',
            lambda: not any(process['pid'] for process in self._of(name)),
            _STOP_ONE_SECONDS,
        )
        for process in self._of(name):
            self._state.ready(process['name']).unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            self._proxy.getState()
        except _UNREACHABLE:
            return False
        return True


def find(folder: pathlib.Path) -> int | None:
    """Find the supervisor of a folder.

    Its own pid file would come too late for one who gives up early, and stay
    for another process that gets the number.

    :param folder: the cloud's folder.
    :returns: the process id, None if none runs.
    """
    marks = {
        _PROGRAM.encode(),
        os.fsencode(config.path(folder)),
    }
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            arguments = path.read_bytes().split(b'\0')
        except OSError:
            continue
        if marks.issubset(arguments):
            return int(path.parent.name)
    return None


def stop(folder: pathlib.Path) -> None:
    """Stop the supervisor of a folder, and with it the services.

    :param folder: the cloud's folder.
    """
    pid = find(folder)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(exception.StepFailed):
            waiting.until(
                'the services to end',
                lambda: find(folder) is None,
                _STOP_SECONDS,
            )
    # Itself if it does not end, what it did not stop, and what was left if
    # somebody has killed it.
    processes.kill(folder)


def _full_name(process: dict[str, Any]) -> str:
    return f'{process["group"]}:{process["name"]}'
