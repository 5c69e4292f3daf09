# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""One run: clients and a saboteur, and the administrator after them."""

import concurrent.futures
import dataclasses
import time

from tools.chaos import api, clients, ledger, offer, saboteur
from tools.cloud import cloud as cloud_module
from tools.cloud import exception, progress

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
    """

    notes: ledger.Ledger
    faults: str


def run(
    cloud: cloud_module.Cloud,
    goods: offer.Offer,
    size: Size,
    report: progress.Progress,
) -> Outcome:
    """Boot and delete while services are killed; clean up after that.

    :param cloud: the cloud.
    :param goods: what is booted.
    :param size: how much.
    :param report: where to tell how far it has come.
    :returns: what happened; all services run, and there is no server.
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
        _delete_servers(api.User(cloud, 'admin'))
    killed = ', '.join(
        f'{name} {number}' for name, number in sorted(enemy.faults.items())
    )
    return Outcome(notes, f'{enemy.faults.total()} ({killed})')


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


def _delete_servers(admin: api.User) -> None:
    end = time.monotonic() + _CLEAN_UP_SECONDS
    path = '/servers?all_tenants=true'
    while left := admin.ask('compute', 'GET', path).json()['servers']:
        if time.monotonic() > end:
            names = ', '.join(each['id'] for each in left)
            raise exception.StepFailed(f'Servers cannot be deleted: {names}')
        for each in left:
            admin.ask(
                'compute', 'DELETE', f'/servers/{each["id"]}', again=(409,)
            )
        time.sleep(_PAUSE)
