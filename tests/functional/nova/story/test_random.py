# SPDX-License-Identifier: Apache-2.0

"""Many random steps: no slot is in two guests, and no server loses its own.

Cyborg is reconciled all the while, five times a second and without any grace:
it leaves alone what is under way.

``NOVA_CYBORG_STEPS`` says how many steps there are, ``NOVA_CYBORG_SEED``
which. The choices are the same with the same seed; when something that Nova
does takes effect is not.
"""

from tests.functional.nova.story import (  # isort: skip - first
    of_hosts,
    of_moves,
)

import collections
import sys
import typing as ty

from tests.functional.inventory import chance
from tests.functional.nova.story import story

# A line of progress each so many.
_TOLD = 100
# What is looked at in turn has its turn in as many.
_LAST_TICKS = 8


class RandomTest(of_hosts.TestCase, of_moves.TestCase):
    """What happens, and what is true after it."""

    STEPS: ty.ClassVar = {
        **of_hosts.TestCase.STEPS,
        **of_moves.TestCase.STEPS,
    }

    def test_random_steps(self) -> None:
        for host in self.HOSTS:
            self.told.append(f'first report of {host}')
            self.report_cards(host, chance.all_cards(self.cleaning(host)))
        for number in range(story.STEPS):
            if number % _TOLD == 0:
                # The runner shows what comes this way at once.
                print(self._summary(number), file=sys.__stderr__, flush=True)
            self._step(number)
        while self.servers:
            self.told.append('end')
            self.delete_guest(self.servers[0])
            self.look(self.sure)
        self.assert_nothing_held()
        # It also has had the time to look at all that is left.
        ticks = self.assert_left_alone() + _LAST_TICKS
        self.wait_for(lambda: self.assert_left_alone() >= ticks)

    def _summary(self, number: int) -> str:
        done = collections.Counter(line.split()[1] for line in self.told[2:])
        of = f'of {story.STEPS}, seed {story.SEED}'
        return f'{number} steps {of}: {dict(done)}'

    def _step(self, number: int) -> None:
        there = {guest.status for guest in self.servers}
        weights = {
            name: weight
            for name, (weight, statuses) in self.STEPS.items()
            if not statuses or not there.isdisjoint(statuses)
        }
        (name,) = self.chance.choices(list(weights), list(weights.values()))
        self.told.append(f'{number}: {name}')
        getattr(self, f'do_{name}')()
        for host in self.HOSTS:
            cleaned = self.cleaned(host)
            if cleaned:
                self.tell(f'cleaned on {host}: {sorted(cleaned)}')
            self.unclean -= {(host, at) for at in cleaned}
        self.look(self.sure)
        self.assert_left_alone()
