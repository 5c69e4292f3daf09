# SPDX-License-Identifier: Apache-2.0

"""Many random steps: no slot is in two guests, and no server loses its own.

``NOVA_CYBORG_STEPS`` says how many steps there are, ``NOVA_CYBORG_SEED``
which. The choices are the same with the same seed; when something that Nova
does takes effect is not.
"""

from tests.functional.nova.story import cloud  # isort: skip - first

import collections
import os
import random
import sys
import typing as ty

import testtools.content
from nova.tests.functional.api import client

from tests.functional.inventory import chance

STEPS = int(os.environ.get('NOVA_CYBORG_STEPS', '20'))
SEED = int(os.environ.get('NOVA_CYBORG_SEED', '20261128'))
# A line of progress each so many.
_TOLD = 100
_MOST_GUESTS = 8
# What the audit finds after what is done to the hosts.
_EXPECTED = frozenset({'device-missing', 'slot-not-cleaned'})


class RandomTest(cloud.TestCase):
    """What happens, and what is true after it."""

    def setUp(self) -> None:
        super().setUp()
        self.chance = random.Random(SEED)  # noqa: S311 - no secrets
        self.told: list[str] = []
        # Hosts whose last report is recorded.
        self.sure: set[str] = set()
        # Where servers have been, and nobody has cleaned after them.
        self.unclean: set[tuple[str, str]] = set()
        self.create_profile('ypu', {'resources:CUSTOM_YPU': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'ypu'}
        )
        # What device contexts ask for, and the flavor.
        self.kinds: list[tuple[int, str]] = [
            (1, self.plain_flavor),
            (2, self.plain_flavor),
            (0, flavor),
            (1, flavor),
        ]
        self.flavor = flavor
        self.addOnException(self._attach_story)

    def _attach_story(self, _exc_info: object) -> None:
        content = testtools.content.text_content('\n'.join(self.told))
        self.addDetail('steps', content)

    def tell(self, text: str) -> None:
        """Add to what is told of this step."""
        self.told[-1] += f' {text}'

    def test_random_steps(self) -> None:
        for host in self.HOSTS:
            self.told.append(f'first report of {host}')
            self._report(host, chance.all_cards(self.cleaning(host)))
        for number in range(STEPS):
            if number % _TOLD == 0:
                # The runner shows what comes this way at once.
                print(self._summary(number), file=sys.__stderr__, flush=True)
            self._step(number)
        while self.servers:
            self.told.append('end')
            self._delete(self.servers[0])
            self.look(self.sure)
        self.assert_nothing_held()

    def _summary(self, number: int) -> str:
        done = collections.Counter(line.split()[1] for line in self.told[2:])
        return f'{number} steps of {STEPS}, seed {SEED}: {dict(done)}'

    def _step(self, number: int) -> None:
        there = {guest.status for guest in self.servers}
        weights = {
            name: weight
            for name, (weight, statuses) in _STEPS.items()
            if not statuses or not there.isdisjoint(statuses)
        }
        (name,) = self.chance.choices(list(weights), list(weights.values()))
        self.told.append(f'{number}: {name}')
        getattr(self, f'do_{name}')()
        for host in self.HOSTS:
            self.unclean -= {(host, at) for at in self.cleaned(host)}
        self.look(self.sure)

    def _any(self, step: str) -> cloud.Guest:
        """Choose a server that a step can be done with."""
        _weight, statuses = _STEPS[step]
        return self.chance.choice(
            [each for each in self.servers if each.status in statuses]
        )

    def _any_host(self) -> str:
        host = self.chance.choice(self.HOSTS)
        self.tell(host)
        return host

    # The hosts

    def _cards(self, host: str) -> list[dict[str, ty.Any]]:
        """Return cards of a host: all of them, or some, or odd ones."""
        if self.chance.random() < 0.4:
            return chance.all_cards(self.cleaning(host))
        return chance.cards(self.chance, self.cleaning(host))

    def _report(
        self, host: str, cards: list[dict[str, ty.Any]], kill: int = 0
    ) -> None:
        self.tell(
            ' '.join(
                f'{card["address"][5:7]}:{",".join(_short(card))}'
                for card in cards
            )
        )
        if self.report(host, cards, kill):
            self.tell(f'killed at {kill}')
            self.sure.discard(host)
        else:
            self.sure.add(host)

    def do_report(self) -> None:
        """The agent of a host reports what there is now."""
        host = self._any_host()
        self._report(host, self._cards(host))

    def do_killed_report(self) -> None:
        """Cyborg's services are killed while they take a report."""
        host = self._any_host()
        kill = self.chance.randint(1, 60)
        self._report(host, self._cards(host), kill)

    def do_kill_agent(self) -> None:
        """An agent is killed, perhaps while it cleans a slot."""
        self.cyborg.control('kill_agent', host=self._any_host())

    def do_kill_conductor(self) -> None:
        """nova-conductor is killed, and started again."""
        self.restart_conductor()

    def do_kill_compute(self) -> None:
        """nova-compute is killed, and started again; guests go on."""
        self.restart_compute_service(self._any_host())

    # Cleaning

    def do_clean(self) -> None:
        """An agent cleans what it was told to, or fails, or takes long."""
        host = self._any_host()
        how = self.chance.choice(('well', 'well', 'fail', 'wait', 'lose'))
        self.tell(how)
        for name in ('fail', 'wait'):
            path = self.folders[host] / name
            if how == name:
                path.touch()
            else:
                path.unlink(missing_ok=True)
        self.cyborg.control(
            'clean', host=host, wait=how != 'wait', lose=how == 'lose'
        )

    def do_late_word(self) -> None:
        """A word of an agent comes late, or again."""
        self.cyborg.control(
            'repeat_word',
            host=self._any_host(),
            number=self.chance.randrange(100),
        )

    def do_audit(self) -> None:
        """The audit finds nothing but what was done to the hosts."""
        found = self.audit_rows()
        self.tell(str(sorted({row['kind'] for row in found})))
        if self.sure.issuperset(self.HOSTS):
            kinds = {row['kind'] for row in found}
            self.assertLessEqual(kinds, _EXPECTED, found)

    # Servers

    def do_boot(self) -> None:
        """A server is booted, or refused for want of slots."""
        if len(self.servers) >= _MOST_GUESTS:
            self.do_delete()
            return
        amount, flavor = self.chance.choice(self.kinds)
        contexts = []
        if amount:
            contexts = [self.create_context(resources={'YPU': amount})]
        stock = flavor == self.flavor
        self.tell(f'{amount} of contexts, {int(stock)} of a profile')
        server = self.post_server(*contexts, flavorRef=flavor)
        guest = cloud.Guest(server, amount + stock)
        self.servers.append(guest)
        self._finish(guest, 'ACTIVE', 'ERROR')
        if guest.status == 'ERROR':
            self._check_refused(guest)
            self._delete(guest)

    def _check_refused(self, guest: cloud.Guest) -> None:
        """A server is refused by Placement, if that knows all reports."""
        fault = guest.server['fault']['message']
        self.tell(fault)
        if self.sure.issuperset(self.HOSTS):
            self.assertIn('No valid host was found', fault)

    def do_delete(self) -> None:
        """A server is deleted."""
        self._delete(self._any('delete'))

    def _delete(self, guest: cloud.Guest) -> None:
        self.tell(f'delete {guest.id}')
        self.delete(guest.server)
        self.servers.remove(guest)
        self._leave(guest)

    def do_shelve(self) -> None:
        """A server is taken off its host."""
        guest = self._any('shelve')
        self._act(guest, 'shelve', 'SHELVED_OFFLOADED')
        self._leave(guest)

    def do_unshelve(self) -> None:
        """A server is brought to a host again, if there are slots."""
        guest = self._any('unshelve')
        self._act(guest, 'unshelve', 'ACTIVE', 'SHELVED_OFFLOADED')

    def do_hard_reboot(self) -> None:
        """A server is started anew with what it has."""
        self._act(
            self._any('hard_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'HARD'},
            starts=True,
        )

    def do_soft_reboot(self) -> None:
        """A server is asked to start anew."""
        self._act(
            self._any('soft_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'SOFT'},
        )

    def do_rebuild(self) -> None:
        """A server gets a new disk."""
        guest = self._any('rebuild')
        self._act(
            guest,
            'rebuild',
            'ACTIVE',
            arguments={'imageRef': guest.server['image']['id']},
            starts=True,
        )

    def do_stop(self) -> None:
        """A server is stopped, and keeps what it has."""
        self._act(self._any('stop'), 'os-stop', 'SHUTOFF')

    def do_start(self) -> None:
        """A server that was stopped is started again."""
        self._act(self._any('start'), 'os-start', 'ACTIVE', starts=True)

    def _act(
        self,
        guest: cloud.Guest,
        action: str,
        *statuses: str,
        arguments: dict[str, ty.Any] | None = None,
        starts: bool = False,
    ) -> None:
        """Do something with a server.

        :param statuses: the status that it has then, one of these.
        :param starts: whether it is started by it; then it is refused if a
            device is missing.
        """
        missing = any(
            each.slot and each.slot.missing
            for each in self.read_records().of(guest.id)
        )
        self.tell(f'{action} {guest.id}{", missing" * missing}')
        try:
            self.api.post_server_action(guest.id, {action: arguments})
        except client.OpenStackApiException as exc:
            self.tell(f'refused: {exc}')
            self.assertTrue(starts and missing, exc)
            self.assertEqual(409, exc.response.status_code)
        else:
            self.assertFalse(starts and missing)
            self._finish(guest, *statuses)

    def _finish(self, guest: cloud.Guest, *statuses: str) -> None:
        """Wait until nothing is being done with a server, and look at it."""

        def finished() -> dict[str, ty.Any] | None:
            found = self.api.get_server(guest.id)
            done = found['OS-EXT-STS:task_state'] is None
            done = done and found['status'] != 'BUILD'
            if found['status'] == 'ERROR':
                done = done and 'fault' in found
            return found if done else None

        guest.server = self.wait_for(finished)
        self.tell(guest.status)
        self.assertIn(guest.status, statuses, guest.server.get('fault'))
        if guest.host is None and guest.status == 'ACTIVE':
            self._arrive(guest)

    def _arrive(self, guest: cloud.Guest) -> None:
        """A server is on a host, with slots that it had not before."""
        guest.host = self.admin_api.get_server(guest.id)[
            'OS-EXT-SRV-ATTR:host'
        ]
        found = self.read_records().of(guest.id)
        self.tell(f'{guest.host} {[each.slot.place for each in found]}')
        self.assertEqual(guest.wanted, len(found))
        for each in found:
            self.assertNotIn((guest.host, each.slot.place), self.unclean)
            guest.slots[each.uuid] = each.slot.place
            if each.slot.card[5:7] in chance.CLEANED:
                guest.unclean.add(each.slot.place)

    def _leave(self, guest: cloud.Guest) -> None:
        """A server has left its host."""
        self.unclean |= {(guest.host, place) for place in guest.unclean}
        guest.host = None
        guest.slots.clear()
        guest.unclean.clear()


def _short(card: dict[str, ty.Any]) -> list[str]:
    """Return the slots of a card, for what is told."""
    return [f'{at[5:7]}.{at[-1]}' for at in card['handles']['addresses']]


# What happens, how often, and to servers of which status.
_STEPS: ty.Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    'report': (6, ()),
    'killed_report': (2, ()),
    'kill_agent': (1, ()),
    'kill_conductor': (1, ()),
    'kill_compute': (1, ()),
    'clean': (4, ()),
    'late_word': (1, ()),
    'audit': (1, ()),
    'boot': (6, ()),
    'delete': (2, ('ACTIVE', 'SHUTOFF', 'SHELVED_OFFLOADED')),
    'shelve': (1, ('ACTIVE', 'SHUTOFF')),
    'unshelve': (2, ('SHELVED_OFFLOADED',)),
    'hard_reboot': (2, ('ACTIVE',)),
    'soft_reboot': (1, ('ACTIVE',)),
    'rebuild': (1, ('ACTIVE',)),
    'stop': (1, ('ACTIVE',)),
    'start': (1, ('SHUTOFF',)),
}
