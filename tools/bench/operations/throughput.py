# SPDX-License-Identifier: Apache-2.0

"""How many servers several clients boot and delete at once."""

from __future__ import annotations

import concurrent.futures
import datetime
import threading
import time
import typing as ty

from tools.bench import exception
from tools.bench.clouds import system as system_module
from tools.bench.model import measured, systems
from tools.bench.operations import servers as servers_module

_PAUSE = 0.5
# Nova keeps times in whole seconds, of a clock of its own.
_OVERLAP = datetime.timedelta(seconds=5)
_DELETED = 'DELETED'
_ENDS = ('ACTIVE', 'ERROR', _DELETED)


def measure(
    system: system_module.System, bound: int, clients: int, seconds: float
) -> measured.Throughput:
    """Have clients boot servers and delete them.

    Each client does so once at least, and begins no more when the time is
    over. All is done then that was begun.

    :param system: the system.
    :param bound: how many accelerators are bound already.
    :param clients: how many clients.
    :param seconds: for how long they begin.
    :returns: what they have done.
    """
    begin = time.monotonic()
    with _Watcher(system) as watcher:

        def work(_number: int) -> tuple[int, int]:
            done = failed = 0
            while not (done or failed) or time.monotonic() < begin + seconds:
                try:
                    _one(system, watcher)
                    done += 1
                except exception.BenchError:
                    failed += 1
            return done, failed

        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            found = list(pool.map(work, range(clients)))
    return measured.Throughput(
        system.name,
        bound,
        clients,
        sum(done for done, _failed in found),
        sum(failed for _done, failed in found),
        time.monotonic() - begin,
    )


def _one(system: system_module.System, watcher: _Watcher) -> None:
    contexts = []
    if system.name == systems.CONTEXTS:
        contexts = system.make_context()
    server_id = system.boot(system.accelerated, contexts)
    status = watcher.wait(server_id, _ENDS)
    system.member.do('compute', 'DELETE', f'/servers/{server_id}')
    watcher.wait(server_id, (_DELETED,))
    if status != 'ACTIVE':
        raise exception.NotDone(f'{server_id} is {status}')


class _Watcher:
    """Looks at the servers of all clients at once, as one of them would.

    Clients that look for themselves would be most of what the API has to do.

    :param system: the system.
    """

    def __init__(self, system: system_module.System) -> None:
        self._member = system.member
        self._statuses: dict[str, str] = {}
        self._seen = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended = True
        self._thread.join()

    def wait(self, server_id: str, ends: tuple[str, ...]) -> str:
        """Wait until a server has a status.

        :param server_id: its UUID.
        :param ends: the statuses.
        :returns: its status.
        :raises NotDone: if it gets none of these.
        """

        def has_ended() -> bool:
            return self._statuses.get(server_id) in ends

        with self._seen:
            if not self._seen.wait_for(has_ended, servers_module.SECONDS):
                raise exception.NotDone(f'{server_id} gets to none of {ends}')
            return self._statuses[server_id]

    def _watch(self) -> None:
        since = datetime.datetime.now(datetime.timezone.utc)
        while not self._ended:
            now = datetime.datetime.now(datetime.timezone.utc)
            when = (since - _OVERLAP).strftime('%Y-%m-%dT%H:%M:%SZ')
            path = f'/servers/detail?changes-since={when}'
            answer = self._member.ask('compute', 'GET', path)
            if answer.ok:
                self._note(answer.json()['servers'])
                since = now
            time.sleep(_PAUSE)

    def _note(self, servers: list[dict[str, ty.Any]]) -> None:
        with self._seen:
            for server in servers:
                busy = server['OS-EXT-STS:task_state'] is not None
                status = 'busy' if busy else str(server['status'])
                self._statuses[server['id']] = status
            self._seen.notify_all()
