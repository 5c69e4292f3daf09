# SPDX-License-Identifier: Apache-2.0

"""Servers come and go while reports change slots, all at the same time."""

import concurrent.futures
import random
import threading

import pytest
from cyborg.common import exception as cyborg_exception

from nova_cyborg.cyborg.agent import driver
from nova_cyborg.db.inventory import slots
from nova_cyborg.lifecycle import unbind
from tests.functional.inventory import conftest
from tests.functional.inventory.entries import card

BUSES = ('70', '71', '72')
FUNCTIONS = '1234'
YPU = 'CUSTOM_YPU'
THREADS = 6
BOOTS = 12
REPORTS = 12
SEED = 20261128


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents of all hosts."""


def cards(functions=FUNCTIONS):
    return [
        card(
            *(f'0000:{bus}:00.{number}' for number in functions),
            address=f'0000:{bus}:00.0',
        )
        for bus in BUSES
    ]


class Guests:
    """Which address each guest has, as hypervisors see it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._places = set()
        self.booted = 0

    def begin(self, place):
        with self._lock:
            assert place not in self._places, f'two guests have {place}'
            self._places.add(place)
            self.booted += 1

    def end(self, place):
        with self._lock:
            self._places.remove(place)


def come_and_go(cloud, guests, seed):
    """Boot servers; each is there until the next one has got its slot."""
    chosen = random.Random(seed)  # noqa: S311 - no secrets
    before = None
    for _n in range(BOOTS):
        request = boot(cloud, guests, f'0000:{chosen.choice(BUSES)}:00.0')
        if before is not None:
            delete(guests, *before)
        before = request
    if before is not None:
        delete(guests, *before)


def boot(cloud, guests, address):
    """Return a request that has got a slot, and where that is."""
    try:
        request = cloud.bind(address, YPU)
    except cyborg_exception.ResourceNotFound:
        return None
    place = cloud.place_of(request)
    guests.begin(place)
    return request, place


def delete(guests, request, place):
    guests.end(place)
    unbind.devices([request.arq.uuid])


def report(cloud, seed):
    """Report the host again and again, each time without some slots."""
    chosen = random.Random(seed)  # noqa: S311 - no secrets
    agent = driver.FileDriver()
    for _n in range(REPORTS):
        functions = chosen.sample(FUNCTIONS, chosen.randint(2, 4))
        cloud.report_devices(agent, *cards(functions))


def test_no_slot_is_given_twice(cloud):
    agent = cloud.start(*cards())
    guests = Guests()
    with concurrent.futures.ThreadPoolExecutor(THREADS + 2) as pool:
        running = [
            *(
                pool.submit(come_and_go, cloud, guests, SEED + number)
                for number in range(THREADS)
            ),
            *(
                pool.submit(report, cloud.another(), SEED + number)
                for number in range(2)
            ),
        ]
    for each in running:
        each.result()

    # Those are done that had not their turn, and all can be given again.
    cloud.report_devices(agent, *cards())
    found = slots.of_host(cloud.context, conftest.HOST)
    assert len(found) == len(BUSES) * len(FUNCTIONS)
    assert all(slot.available for slot in found)
    assert guests.booted > THREADS
