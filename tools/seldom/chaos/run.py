# SPDX-License-Identifier: Apache-2.0

"""One run: clients and a saboteur, and the administrator after them."""

import concurrent.futures
import dataclasses
import http
import time

import requests

from tools.cloud import cloud as cloud_module
from tools.cloud import exception
from tools.command_line import progress
from tools.seldom.chaos.actors import api, clients, offer, saboteur
from tools.seldom.chaos.damage import ledger

# Two projects, as one has not the quota for what is left over as well.
_USERS = ('demo', 'other')
_EVERY = 10
_CLEAN_UP_SECONDS = 240.0
_PAUSE = 3.0


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is done.

    :ivar boots: boots in all.
    :ivar clients: how many boot at once.
    :ivar seed: what is random follows from it.
    """

    boots: int
    clients: int
    seed: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What happened.

    :ivar notes: what the clients saw.
    :ivar faults: how many services were killed, in words.
    :ivar undeletable: UUIDs of the servers that Nova lists, and does not find
        when one is to be deleted.
    """

    notes: ledger.Ledger
    faults: str
    undeletable: list[str]


def run(
    cloud: cloud_module.Cloud,
    goods: offer.Offer,
    size: Size,
    report: progress.Progress,
) -> Outcome:
    """Boot and delete while services are killed; clean up after that.

    :param goods: what is booted.
    :param size: how much.
    :param report: where to tell how far it has come.
    :returns: what happened; all services run, and no server is left that
        Nova can delete.
    :raises StepFailed: if a service does not start, or a server stays.
    """
    notes = ledger.Ledger()
    enemy = saboteur.Saboteur(cloud, size.seed, report)
    enemy.start()
    try:
        _boot_all(cloud, goods, size, notes, report)
    finally:
        with report.step('all services started'):
            enemy.finish()
    with report.step('servers deleted'):
        undeletable = _delete_servers(api.User(cloud, 'admin'))
    killed = ', '.join(
        f'{name} {number}' for name, number in sorted(enemy.faults.items())
    )
    return Outcome(notes, f'{enemy.faults.total()} ({killed})', undeletable)


def _boot_all(
    cloud: cloud_module.Cloud,
    goods: offer.Offer,
    size: Size,
    notes: ledger.Ledger,
    report: progress.Progress,
) -> None:
    numbers = iter(range(size.boots))

    def work(number: int) -> None:
        user = _USERS[number % len(_USERS)]
        client = clients.Client(cloud, user, number, size.seed, goods, notes)
        # The threads share it: each number goes to one of them.
        for _ in numbers:
            done = notes.note(client.boot())
            if done % _EVERY == 0:
                with report.step(f'{done} boots: {dict(notes.outcomes)}'):
                    pass

    with concurrent.futures.ThreadPoolExecutor(size.clients) as pool:
        for each in [pool.submit(work, n) for n in range(size.clients)]:
            each.result()


def _delete_servers(admin: api.User) -> list[str]:
    """Delete all servers; return those that Nova lists and does not find.

    A nova-conductor that dies while a server is being deleted can leave it in
    the database of a cell, and the record of the cell it is in unwritten.
    """
    end = time.monotonic() + _CLEAN_UP_SECONDS
    path = '/servers?all_tenants=true'
    unknown: set[str] = set()
    while left := _ids(admin.ask('compute', 'GET', path)):
        if left <= unknown:
            break
        if time.monotonic() > end:
            names = ', '.join(sorted(left))
            raise exception.StepFailed(f'Servers cannot be deleted: {names}')
        unknown = {
            server_id
            for server_id in left
            if admin.ask(
                'compute', 'DELETE', f'/servers/{server_id}', again=(409,)
            ).status_code
            == http.HTTPStatus.NOT_FOUND
        }
        time.sleep(_PAUSE)
    return sorted(left)


def _ids(answer: requests.Response) -> set[str]:
    return {str(each['id']) for each in answer.json()['servers']}
