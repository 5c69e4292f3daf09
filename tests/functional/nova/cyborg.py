# SPDX-License-Identifier: Apache-2.0

"""Cyborg, as tests in Nova's process see it: its API, and its control."""

import atexit
import contextlib
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import typing as ty

import requests
from nova_cyborg.fixture import http_server

_TOP = pathlib.Path(__file__).parents[3]
_SECONDS = 60


def token(user: str, project: str, *roles: str) -> str:
    """Return a token that :mod:`.cyborg_server` understands."""
    return f'{user}:{project}:{",".join(roles)}'


class Cyborg:
    """A Cyborg of its own process, for all tests of this one.

    :ivar nova_port: where tests have to serve Nova's API.
    :ivar url: Cyborg's endpoint.
    """

    def __init__(self) -> None:
        self.nova_port = http_server.free_port()
        self._log = tempfile.NamedTemporaryFile('a')  # noqa: SIM115 - kept
        self._process = subprocess.Popen(
            [
                *(sys.executable, '-m', 'tests.functional.nova.cyborg_server'),
                *('--nova', f'http://127.0.0.1:{self.nova_port}/v2.1'),
                *('--log', self._log.name),
            ],
            cwd=_TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        atexit.register(self._stop)
        ports = self._wait_for_start()
        self.url = f'http://127.0.0.1:{ports["api"]}/v2'
        self._control = f'http://127.0.0.1:{ports["control"]}'

    def _wait_for_start(self) -> dict[str, int]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f'Cyborg does not start: {self.log()}')
        return json.loads(line)

    def _stop(self) -> None:
        # It ends with its input, and only then removes its folder.
        self._process.stdin.close()
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def start(self) -> bool:
        """Start it again if it was killed; return whether it was."""
        with contextlib.suppress(requests.ConnectionError):
            self.control('under_way')
            return False
        self._process.stdin.write('start\n')
        self._process.stdin.flush()
        self._wait_for_start()
        return True

    def control(self, name: str, **arguments: ty.Any) -> ty.Any:
        """Call a method of :class:`cyborg_server.Control`."""
        response = requests.post(
            f'{self._control}/{name}', json=arguments, timeout=_SECONDS
        )
        if response.status_code != 200:
            raise RuntimeError(response.json())
        return response.json()

    def api(
        self, user_token: str, method: str, path: str, body: ty.Any = None
    ) -> requests.Response:
        """Call the API."""
        return requests.request(
            method,
            self.url + path,
            json=body,
            headers={'X-Auth-Token': user_token},
            timeout=_SECONDS,
        )

    def log(self) -> str:
        """Return the end of its log."""
        return pathlib.Path(self._log.name).read_text()[-20000:]


@functools.cache
def get() -> Cyborg:
    """Return the Cyborg of this process, started when first asked for."""
    return Cyborg()
