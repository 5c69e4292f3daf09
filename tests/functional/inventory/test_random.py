# SPDX-License-Identifier: Apache-2.0

"""Many random steps: no slot is given twice, and no server loses its own.

A host whose cards and slots come, go, move and are reported twice; servers
that are booted, rebooted, shelved and deleted; conductors that are killed in
the middle; agents that clean slots, or cannot, and say so late. After each
step all is looked at. By default the steps are few enough for each run of the
tests; ``NOVA_CYBORG_STEPS`` says how many there are, ``NOVA_CYBORG_SEED``
which.
"""

import dataclasses
import os
import random
import typing as ty

import pytest
import sqlalchemy as sa
from cyborg.common import exception as cyborg_exception

from nova_cyborg.db.inventory import cleaning, reports, slots
from nova_cyborg.lifecycle.cleaning import begin
from tests.functional.inventory import chance, conftest
from tests.functional.inventory.entries import card

pytestmark = pytest.mark.slow

STEPS = int(os.environ.get('NOVA_CYBORG_STEPS', '150'))
SEED = int(os.environ.get('NOVA_CYBORG_SEED', '20261128'))

CLEANING: ty.Final = {'program': ['/bin/true']}
YPU = 'CUSTOM_YPU'


class Killed(BaseException):
    """cyborg-conductor is killed; nothing of its code sees that."""


@dataclasses.dataclass
class Guest:
    """A server, as the hypervisor runs it."""

    request: object
    place: str
    bus: str


class Story:
    """What happens, and what is true after it."""

    def __init__(self, cloud, clock, seed):
        self.cloud = cloud
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - no secrets
        self.agent = cloud.start(
            card('0000:70:00.1', address='0000:70:00.0', cleaning=CLEANING)
        )
        self.guests = []
        self.shelved = 0
        # Where servers have been, and nobody has cleaned after them.
        self.unclean = set()
        # What agents might say, now or later.
        self.words = []
        self.told = []

    def step(self):
        """Do something, and look."""
        name, weight = zip(*self._STEPS.items(), strict=True)
        (chosen,) = self.random.choices(name, weight)
        self.told.append(chosen)
        getattr(self, chosen)()
        self.look()

    def look(self):
        """Compare what servers have with what is recorded."""
        places = [guest.place for guest in self.guests]
        assert len(places) == len(set(places)), self.told
        found = {
            use.arq_id: use.slot for use in slots.uses(self.cloud.context)
        }
        for guest in self.guests:
            slot = found[guest.request.arq.uuid]
            assert slot is not None, self.told
            assert slot.place == guest.place, self.told

    # The host

    def report(self):
        """The agent reports what there is now."""
        self.cloud.report_devices(
            self.agent, *chance.cards(self.random, CLEANING)
        )
        self._look_at_placement()

    def killed_report(self):
        """The conductor is killed while it takes a report."""
        statements = self.random.randint(1, 60)

        def count(*_args):
            nonlocal statements
            statements -= 1
            # Nor does it write anything after that.
            if statements <= 0:
                raise Killed

        sa.event.listen(self.cloud.engine, 'before_cursor_execute', count)
        try:
            self.cloud.report_devices(
                self.agent, *chance.cards(self.random, CLEANING)
            )
        except Killed:
            self.told[-1] += ' (in vain)'
        finally:
            sa.event.remove(self.cloud.engine, 'before_cursor_execute', count)
            # Until then, the reports of the host are left out.
            self.clock.advance_time_seconds(reports.LEASE + 1)

    def _look_at_placement(self):
        """After a report: what Placement offers is what can be given."""
        known = slots.of_host(self.cloud.context, conftest.HOST)
        names = {slot.deployable for slot in known}
        for name in names:
            found = self.cloud.deployable(name.removeprefix('compute1_'))
            assert found.rp_uuid, (name, self.told)
        for name in names:
            mine = [slot for slot in known if slot.deployable == name]
            free = [slot for slot in mine if slot.available]
            offered = self.cloud.offered(name)
            assert max(offered, 0) == len(free), (name, self.told)

    # Servers

    def boot(self):
        """Nova schedules a server, and Cyborg binds a slot or refuses."""
        found = self.cloud.candidates(YPU)
        if not found:
            return
        address = self.random.choice(found)
        try:
            request = self.cloud.boot(address, YPU)
        except cyborg_exception.CyborgException:
            # Of what Placement did not know yet that it is missing.
            self.told[-1] += ' (refused)'
            self.cloud.give_up_boots(guest.request for guest in self.guests)
            return
        guest = Guest(request, self.cloud.place_of(request), address[5:7])
        assert guest.place not in self.unclean, self.told
        self.guests.append(guest)

    def delete(self):
        """Nova deletes a server."""
        if self.guests:
            guest = self.random.choice(self.guests)
            self.guests.remove(guest)
            self.cloud.delete(guest.request)
            if guest.bus in chance.CLEANED:
                self.unclean.add(guest.place)

    def shelve(self):
        """Nova offloads a server, which gets another slot later."""
        if self.guests:
            self.delete()
            self.shelved += 1

    def unshelve(self):
        """Nova brings a shelved server back."""
        if self.shelved:
            self.shelved -= 1
            self.boot()

    def reboot(self):
        """Nova asks for what a server has, and starts it with that."""
        if self.guests:
            guest = self.random.choice(self.guests)
            assert self.cloud.place_of(guest.request) == guest.place

    # Cleaning

    def clean(self):
        """The agent cleans a slot, or cannot, and says so, now or later."""
        found = [
            slot
            for slot in cleaning.every(self.cloud.context)
            if not (slot.failed or slot.in_use or slot.missing)
        ]
        if found:
            slot = self.random.choice(found)
            error = 'It burns.' if chance.now_and_then(self.random) else None
            if error is None:
                self.unclean.discard(slots.place_of(slot.attach_info))
            self.words.append((slot.handle_id, slot.detail, error))
            if not chance.now_and_then(self.random):
                self._say(self.words[-1])

    def late_word(self):
        """A word of an agent comes late, or again."""
        if self.words:
            self._say(self.random.choice(self.words))

    def clean_again(self):
        """The audit has a slot cleaned that could not be."""
        found = cleaning.every(self.cloud.context)
        if found:
            begin.again(self.random.choice(found).handle_id)

    def _say(self, word):
        self.cloud.conductor.end_cleaning(self.cloud.context, *word)

    _STEPS: ty.ClassVar[dict[str, int]] = {
        'report': 6,
        'killed_report': 2,
        'boot': 6,
        'delete': 3,
        'shelve': 1,
        'unshelve': 1,
        'reboot': 1,
        'clean': 3,
        'late_word': 1,
        'clean_again': 1,
    }


@pytest.mark.timeout(3600)
def test_random_steps(plugin, agent_rpc, cloud, clock):
    story = Story(cloud, clock, SEED)
    for _number in range(STEPS):
        story.step()
    # Something must have happened.
    assert story.guests or 'boot' in story.told
