# SPDX-License-Identifier: Apache-2.0

"""What happens to servers, of each kind that has devices."""

from tests.functional.nova.story import story  # isort: skip - first

import typing as ty

from nova.tests.functional.api import client

from tests.functional.inventory import chance
from tests.functional.nova.story import checks

_MOST_GUESTS = 8


class TestCase(story.TestCase):
    """Boots, deletes, and what is between them."""

    STEPS: ty.ClassVar = {
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

    def setUp(self) -> None:
        super().setUp()
        self.create_profile('ypu', {'resources:CUSTOM_YPU': '1'})
        self.flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'ypu'}
        )
        # What device contexts ask for, and the flavor.
        self.kinds: list[tuple[int, str]] = [
            (1, self.plain_flavor),
            (2, self.plain_flavor),
            (0, self.flavor),
            (1, self.flavor),
        ]

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
        guest = checks.Guest(server, amount + stock)
        self.servers.append(guest)
        self._finish(guest, 'ACTIVE', 'ERROR')
        if guest.status == 'ERROR':
            self._check_refused(guest)
            self.delete_guest(guest)

    def _check_refused(self, guest: checks.Guest) -> None:
        """A server is refused by Placement, if that knows all reports."""
        fault = guest.server['fault']['message']
        self.tell(fault)
        if self.all_sure():
            self.assertIn('No valid host was found', fault)

    def do_delete(self) -> None:
        """A server is deleted."""
        self.delete_guest(self.any_server('delete'))

    def delete_guest(self, guest: checks.Guest) -> None:
        self.tell(f'delete {guest.id}')
        self.delete(guest.server)
        self.servers.remove(guest)
        self._leave(guest)

    def do_shelve(self) -> None:
        """A server is taken off its host."""
        guest = self.any_server('shelve')
        self._act(guest, 'shelve', 'SHELVED_OFFLOADED')
        self._leave(guest)

    def do_unshelve(self) -> None:
        """A server is brought to a host again, if there are slots."""
        guest = self.any_server('unshelve')
        self._act(guest, 'unshelve', 'ACTIVE', 'SHELVED_OFFLOADED')

    def do_hard_reboot(self) -> None:
        """A server is started anew with what it has."""
        self._act(
            self.any_server('hard_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'HARD'},
            starts=True,
        )

    def do_soft_reboot(self) -> None:
        """A server is asked to start anew."""
        self._act(
            self.any_server('soft_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'SOFT'},
        )

    def do_rebuild(self) -> None:
        """A server gets a new disk."""
        guest = self.any_server('rebuild')
        self._act(
            guest,
            'rebuild',
            'ACTIVE',
            arguments={'imageRef': guest.server['image']['id']},
            starts=True,
        )

    def do_stop(self) -> None:
        """A server is stopped, and keeps what it has."""
        self._act(self.any_server('stop'), 'os-stop', 'SHUTOFF')

    def do_start(self) -> None:
        """A server that was stopped is started again."""
        self._act(self.any_server('start'), 'os-start', 'ACTIVE', starts=True)

    def _act(
        self,
        guest: checks.Guest,
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

    def _finish(self, guest: checks.Guest, *statuses: str) -> None:
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

    def _arrive(self, guest: checks.Guest) -> None:
        """A server is on a host, with slots that it had not before."""
        guest.host = self.admin_api.get_server(guest.id)[
            'OS-EXT-SRV-ATTR:host'
        ]
        found = self.read_records().of(guest.id)
        places = [f'{each.slot.card}/{each.slot.place}' for each in found]
        self.tell(f'{guest.id} on {guest.host}: {places}')
        self.assertEqual(guest.wanted, len(found))
        for each in found:
            self.assertNotIn((guest.host, each.slot.place), self.unclean)
            guest.slots[each.uuid] = each.slot.place
            if each.slot.card[5:7] in chance.CLEANED:
                guest.unclean.add(each.slot.place)

    def _leave(self, guest: checks.Guest) -> None:
        """A server has left its host."""
        if guest.unclean:
            self.tell(f'to be cleaned on {guest.host}: {guest.unclean}')
        self.unclean |= {(guest.host, place) for place in guest.unclean}
        guest.host = None
        guest.slots.clear()
        guest.unclean.clear()
