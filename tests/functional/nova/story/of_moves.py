# SPDX-License-Identifier: Apache-2.0

"""What happens to servers that move, and what suspends them."""

from tests.functional.nova.story import of_servers  # isort: skip - first

import collections
import typing as ty

from tests.functional.nova.story import checks

_MOVABLE = ('ACTIVE', 'SHUTOFF')
# Nova has done all that it does for a migration.
_OVER = frozenset(('completed', 'error', 'failed'))


class TestCase(of_servers.TestCase):
    """Moves, which servers with a device profile are refused."""

    STEPS: ty.ClassVar = {
        **of_servers.TestCase.STEPS,
        'migrate': (2, _MOVABLE),
        'resize': (2, _MOVABLE),
        'confirm': (2, ('VERIFY_RESIZE',)),
        'revert': (2, ('VERIFY_RESIZE',)),
        'live_migrate': (2, ('ACTIVE',)),
        'suspend': (1, ('ACTIVE',)),
        'resume': (1, ('SUSPENDED',)),
    }

    def setUp(self) -> None:
        super().setUp()
        self.other_flavor = self._create_flavor(vcpu=2, memory_mb=512, disk=1)

    def do_migrate(self) -> None:
        """A server is brought to the other host, if that has slots."""
        self._move(self.any_server('migrate'), 'migrate')

    def do_resize(self) -> None:
        """The same, with another flavor."""
        guest = self.any_server('resize')
        flavors = (self.plain_flavor, self.other_flavor)
        new = flavors[guest.flavor == self.plain_flavor]
        self._move(guest, 'resize', {'flavorRef': new})

    def _move(
        self,
        guest: checks.Guest,
        action: str,
        arguments: dict[str, ty.Any] | None = None,
    ) -> None:
        room = self._room(guest)
        if self._is_refused(guest, action, arguments):
            return
        guest.rested = guest.status
        self.finish(guest, 'VERIFY_RESIZE', guest.rested)
        moved = guest.status == 'VERIFY_RESIZE'
        self._check_room(room, moved)
        if moved:
            guest.left = guest.used
            guest.left.consumer = self._migrations(guest)[-1]['uuid']
            self._arrive_at_other(guest)

    def do_confirm(self) -> None:
        """A server stays where it was brought to."""
        guest = self.any_server('confirm')
        self.act_on(guest, 'confirmResize', guest.rested)
        self.leave(guest.left)
        guest.left = None
        self._look_at_flavor(guest)

    def do_revert(self) -> None:
        """A server is brought back to what it had, and starts there."""
        guest = self.any_server('revert')
        missing = self.is_missing(guest.left)
        self.tell(f'revert {guest.id}{", missing" * missing}')
        error = self.ask_for(guest, 'revertResize')
        self.assertEqual(missing, error is not None, error)
        if error:
            self.assertEqual(409, error.response.status_code)
            return
        self.finish(guest, guest.rested)
        self.leave(guest.used)
        guest.used, guest.left = guest.left, None
        guest.used.consumer = guest.id
        self._look_at_flavor(guest)

    def do_live_migrate(self) -> None:
        """A guest goes on at the other host, if that has slots."""
        guest = self.any_server('live_migrate')
        room = self._room(guest)
        arguments = {'host': None, 'block_migration': 'auto'}
        if self._is_refused(guest, 'os-migrateLive', arguments):
            return
        self.finish(guest, 'ACTIVE')
        # Nova ends it when the server has its last status already.
        self.wait_for(lambda: self._migrations(guest)[-1]['status'] in _OVER)
        moved = guest.server['OS-EXT-SRV-ATTR:host'] != guest.used.host
        self._check_room(room, moved)
        if moved:
            self.leave(guest.used)
            self._arrive_at_other(guest)

    def do_suspend(self) -> None:
        """A guest lets go of its devices, and they stay its own."""
        guest = self.any_server('suspend')
        if not self._is_refused(guest, 'suspend'):
            self.finish(guest, 'SUSPENDED')

    def do_resume(self) -> None:
        """A guest goes on with its devices, unless one is missing."""
        guest = self.any_server('resume')
        self.act_on(guest, 'resume', 'ACTIVE', starts=True)

    def _is_refused(
        self,
        guest: checks.Guest,
        action: str,
        arguments: dict[str, ty.Any] | None = None,
    ) -> bool:
        """Ask for what Nova refuses to servers with a device profile."""
        self.tell(f'{action} {guest.id}')
        error = self.ask_for(guest, action, arguments)
        self.assertEqual(bool(guest.of_profile), error is not None, error)
        if error:
            self.assertEqual(400, error.response.status_code)
        return error is not None

    def _room(self, guest: checks.Guest) -> bool | None:
        """Tell whether a card of the other host has room for a server.

        :returns: None if that is not known.
        """
        if not self.all_sure():
            return None
        free = collections.Counter(
            slot.provider
            for slot in self.read_records().slots
            if slot.is_free and slot.host != guest.used.host
        )
        return max(free.values(), default=0) >= guest.of_contexts

    def _check_room(self, room: bool | None, moved: bool) -> None:
        if room is not None:
            self.assertEqual(room, moved)

    def _arrive_at_other(self, guest: checks.Guest) -> None:
        source = guest.used.host
        self.arrive(guest)
        self.assertNotEqual(source, guest.used.host)

    def _look_at_flavor(self, guest: checks.Guest) -> None:
        name = guest.server['flavor']['original_name']
        (guest.flavor,) = (
            each['id']
            for each in self.api.get_flavors()
            if each['name'] == name
        )

    def _migrations(self, guest: checks.Guest) -> list[dict[str, ty.Any]]:
        """Return what Nova says of the moves of a server, in their order."""
        return sorted(
            (
                each
                for each in self.admin_api.get_migrations()
                if each['instance_uuid'] == guest.id
            ),
            key=lambda each: each['id'],
        )
