# SPDX-License-Identifier: Apache-2.0

"""What happens to servers, of each kind that has devices."""

from tests.functional.nova.story import story  # isort: skip - first

import typing as ty

from nova.tests.functional.api import client

from tests.functional.inventory import chance
from tests.functional.nova.story import checks

_MOST_GUESTS = 8
_NONESUCH = {'resources': {'NO_SUCH_YPU': 1}}
_STATUSES = (
    'ACTIVE',
    'SHUTOFF',
    'SHELVED_OFFLOADED',
    'SUSPENDED',
    'VERIFY_RESIZE',
)


class TestCase(story.TestCase):
    """Boots, deletes, and what is between them."""

    STEPS: ty.ClassVar = {
        'boot': (6, ()),
        'delete': (2, _STATUSES),
        'shelve': (1, ('ACTIVE', 'SHUTOFF', 'SUSPENDED')),
        'unshelve': (2, ('SHELVED_OFFLOADED',)),
        'hard_reboot': (2, ('ACTIVE', 'SUSPENDED')),
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
        group: dict[str, ty.Any] = {'resources': {'YPU': amount}}
        if self.chance.choice((True, False)):
            # It is always the second of them that there is.
            group = {'first_available': [_NONESUCH, group]}
        if amount:
            contexts = [
                self.create_context(groups=[group], live_migration='detach')
            ]
        stock = int(flavor == self.flavor)
        self.tell(f'{amount} of contexts: {group}, {stock} of a profile')
        server = self.post_server(*contexts, flavorRef=flavor)
        guest = checks.Guest(server, amount, stock, flavor)
        self.servers.append(guest)
        self.finish(guest, 'ACTIVE', 'ERROR')
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
        self.leave_all(guest)

    def do_shelve(self) -> None:
        """A server is taken off its host."""
        guest = self.any_server('shelve')
        self.act_on(guest, 'shelve', 'SHELVED_OFFLOADED')
        self.leave_all(guest)

    def do_unshelve(self) -> None:
        """A server is brought to a host again, if there are slots."""
        guest = self.any_server('unshelve')
        self.act_on(guest, 'unshelve', 'ACTIVE', 'SHELVED_OFFLOADED')

    def do_hard_reboot(self) -> None:
        """A server is started anew with what it has."""
        self.act_on(
            self.any_server('hard_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'HARD'},
            starts=True,
        )

    def do_soft_reboot(self) -> None:
        """A server is asked to start anew."""
        self.act_on(
            self.any_server('soft_reboot'),
            'reboot',
            'ACTIVE',
            arguments={'type': 'SOFT'},
        )

    def do_rebuild(self) -> None:
        """A server gets a new disk."""
        guest = self.any_server('rebuild')
        self.act_on(
            guest,
            'rebuild',
            'ACTIVE',
            arguments={'imageRef': guest.server['image']['id']},
            starts=True,
        )

    def do_stop(self) -> None:
        """A server is stopped, and keeps what it has."""
        self.act_on(self.any_server('stop'), 'os-stop', 'SHUTOFF')

    def do_start(self) -> None:
        """A server that was stopped is started again."""
        self.act_on(
            self.any_server('start'), 'os-start', 'ACTIVE', starts=True
        )

    def act_on(
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
        missing = self.is_missing(guest.used)
        self.tell(f'{action} {guest.id}{", missing" * missing}')
        error = self.ask_for(guest, action, arguments)
        self.assertEqual(starts and missing, error is not None, error)
        if error:
            self.assertEqual(409, error.response.status_code)
        else:
            self.finish(guest, *statuses)

    def is_missing(self, place: checks.Devices | None) -> bool:
        """Tell whether what a server has is missing, or a part of it."""
        slots = place.slots if place else {}
        return any(
            each.uuid in slots and each.slot and each.slot.missing
            for each in self.read_records().requests
        )

    def ask_for(
        self,
        guest: checks.Guest,
        action: str,
        arguments: dict[str, ty.Any] | None = None,
    ) -> client.OpenStackApiException | None:
        """Ask for something to be done with a server.

        :returns: how it is refused; None if it is not.
        """
        try:
            self.admin_api.post_server_action(guest.id, {action: arguments})
        except client.OpenStackApiException as exc:
            self.tell(f'refused: {exc}')
            return exc
        return None

    def finish(self, guest: checks.Guest, *statuses: str) -> None:
        """Wait until nothing is being done with a server, and look at it.

        :param statuses: the status that it has then, one of these.
        """

        def finished() -> dict[str, ty.Any] | None:
            found = self.admin_api.get_server(guest.id)
            done = found['OS-EXT-STS:task_state'] is None
            if found['status'] == 'ERROR':
                done = done and 'fault' in found
            else:
                done = done and found['status'] in statuses
            return found if done else None

        guest.server = self.wait_for(finished)
        self.tell(guest.status)
        self.assertIn(guest.status, statuses, guest.server.get('fault'))
        if guest.used is None and guest.status == 'ACTIVE':
            self.arrive(guest)

    def arrive(self, guest: checks.Guest) -> None:
        """A server is on a host, with slots that it had not before."""
        host = guest.server['OS-EXT-SRV-ATTR:host']
        found = [
            each
            for each in self.read_records().of(guest.id)
            if each.host == host
        ]
        places = [f'{each.slot.card}/{each.slot.place}' for each in found]
        self.tell(f'{guest.id} on {host}: {places}')
        self.assertEqual(guest.of_contexts + guest.of_profile, len(found))
        guest.used = checks.Devices(host, guest.id)
        for each in found:
            self.assertNotIn((host, each.slot.place), self.unclean)
            guest.used.slots[each.uuid] = each.slot.place
            if each.slot.card[5:7] in chance.CLEANED:
                guest.used.unclean.add(each.slot.place)

    def leave_all(self, guest: checks.Guest) -> None:
        """A server has left its host, and that which it was moved from."""
        for place in guest.places:
            self.leave(place)
        guest.used = guest.left = None

    def leave(self, place: checks.Devices) -> None:
        """A server has left a host."""
        if place.unclean:
            self.tell(f'to be cleaned on {place.host}: {place.unclean}')
        self.unclean |= {(place.host, at) for at in place.unclean}
