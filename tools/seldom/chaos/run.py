# SPDX-License-Identifier: Apache-2.0

"""One run: clients and saboteurs, and what the cloud makes of it."""

import collections
import concurrent.futures
import contextlib
import dataclasses

from tools.cloud import cloud as cloud_module
from tools.command_line import progress
from tools.seldom.chaos import healing
from tools.seldom.chaos.actors import (
    administrator,
    api,
    clients,
    holds,
    offer,
    onlooker,
    saboteur,
)
from tools.seldom.chaos.damage import count, ledger
from tools.seldom.chaos.operations import evacuation

# Two projects, as one has not the quota for what is left over as well.
_USERS = ('demo', 'other')
_EVERY = 10
_CONDUCTOR = 'cyborg-conductor'


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is done.

    :ivar boots: boots in all.
    :ivar clients: how many boot at once.
    :ivar seed: what is random follows from it.
    :ivar victims: kinds of services that are killed.
    """

    boots: int
    clients: int
    seed: int
    victims: tuple[str, ...] = saboteur.VICTIMS


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What happened.

    :ivar notes: what the clients saw.
    :ivar faults: how many services of each kind were killed.
    :ivar healing: what became of the damage.
    """

    notes: ledger.Ledger
    faults: collections.Counter[str]
    healing: healing.Healing


def run(
    cloud: cloud_module.Cloud,
    goods: offer.Offer,
    size: Size,
    report: progress.Progress,
) -> Outcome:
    """Boot and delete while services are killed; wait after that.

    :param goods: what is booted.
    :param size: how much.
    :param report: where to tell how far it has come.
    :returns: what happened; all services run, and no server is left that
        Nova can delete.
    :raises StepFailed: if a service does not start.
    """
    notes, held = ledger.Ledger(), holds.Holds()
    admin = api.User(cloud, 'admin')
    helper = administrator.Administrator(admin, notes)
    counter = count.Count(cloud, notes)
    enemies = _saboteurs(cloud, size, held, report)
    onlooking = onlooker.Onlooker(counter, helper, report)
    with contextlib.ExitStack() as ends:
        # The last one first.
        ends.callback(_start_all, cloud, report)
        for enemy in enemies:
            enemy.start()
            ends.callback(enemy.finish)
        onlooking.start()
        ends.callback(onlooking.finish)
        scene = clients.Scene(cloud, size.seed, goods, notes, held)
        _boot_all(scene, size, report)
    evacuation.restore(admin)
    bounds = (
        healing.Bounds.of_stock()
        if goods.stock
        else healing.Bounds.of_cloud(cloud.folder)
    )
    healed = healing.Waiting(helper, counter, bounds, report).wait()
    faults = sum((each.faults for each in enemies), collections.Counter[str]())
    return Outcome(notes, faults, healed)


def _saboteurs(
    cloud: cloud_module.Cloud,
    size: Size,
    held: holds.Holds,
    report: progress.Progress,
) -> list[saboteur.Saboteur]:
    """Return one who kills at random, and one for several conductors.

    These are killed one after the other, so that each is followed by another.
    """
    names = saboteur.find(cloud, size.victims)
    conductors = [name for name in names if name.startswith(_CONDUCTOR)]
    apart = conductors if len(conductors) > 1 else []
    rest = [name for name in names if name not in apart]
    return [
        saboteur.Saboteur(cloud, chosen, size.seed, held, report, rhythm)
        for chosen, rhythm in (
            (rest, saboteur.RANDOM),
            (apart, saboteur.STEADY),
        )
        if chosen
    ]


def _start_all(cloud: cloud_module.Cloud, report: progress.Progress) -> None:
    with report.step('all services started'):
        saboteur.start_all(cloud)


def _boot_all(
    scene: clients.Scene, size: Size, report: progress.Progress
) -> None:
    numbers = iter(range(size.boots))

    def work(number: int) -> None:
        user = _USERS[number % len(_USERS)]
        client = clients.Client(scene, user, number)
        # The threads share it: each number goes to one of them.
        for _ in numbers:
            done = scene.notes.note(client.boot())
            if done % _EVERY == 0:
                outcomes = dict(scene.notes.outcomes)
                with report.step(f'{done} boots: {outcomes}'):
                    pass

    with concurrent.futures.ThreadPoolExecutor(size.clients) as pool:
        for each in [pool.submit(work, n) for n in range(size.clients)]:
            each.result()
