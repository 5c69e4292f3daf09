# SPDX-License-Identifier: Apache-2.0

"""One server whose live migration fails."""

from tests.functional.nova.moves import running  # isort: skip - first

import typing as ty
from unittest import mock

from nova.compute import manager
from nova.virt.libvirt import driver

SOURCE, DESTINATION = running.HOSTS


class Killed(BaseException):
    """Ends what a nova-compute does, as if it were killed."""


class TestCase(running.TestCase):
    """One server, with a PCI device and a mediated device."""

    KINDS = running.TestCase.KINDS[1:2]
    FAILS = True

    def setUp(self) -> None:
        super().setUp()
        self.moved = self.all[0]
        self.server_id = self.moved.server['id']

    def refuse(self, path: str, method: str = 'POST') -> None:
        """Have Cyborg fail with some calls."""
        self.ask_again_at_once()
        self.cyborg.control(
            'fault',
            method=method,
            path=path,
            action='answer',
            value=500,
            times=1000,
        )

    def heal(self) -> None:
        """Have Cyborg do all that it is asked."""
        self.cyborg.control('clear_faults')

    def begin(self) -> None:
        """Ask for a live migration."""
        before = len(self.migrations())
        self.admin_api.post_server_action(
            self.server_id,
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        # Nova answers before nova-conductor has begun.
        self.wait_for(lambda: len(self.migrations()) > before)

    def wait_for_migration(self, *statuses: str) -> None:
        """Wait until the last migration is so, and nothing is done."""

        def is_so() -> bool:
            last = self.last()
            server = self.admin_api.get_server(self.server_id)
            return (
                last['status'] in statuses
                and server['OS-EXT-STS:task_state'] is None
            )

        self.wait_for(is_so)

    def last(self) -> dict[str, ty.Any]:
        """Return the last migration of the server."""
        return max(
            (
                each
                for each in self.migrations()
                if each['instance_uuid'] == self.server_id
            ),
            key=lambda each: each['id'],
        )

    def migrate_in_vain(self, *statuses: str) -> None:
        """Migrate the server in vain."""
        self.begin()
        self.wait_for_migration(*statuses)

    def said(self) -> str:
        """Return what Nova says of the server's last action."""
        action = self.admin_api.get_instance_actions(self.server_id)[0]
        details = self.admin_api.api_get(
            f'/servers/{self.server_id}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']
        return ' '.join(each['details'] or '' for each in details['events'])

    def assert_stays(self) -> None:
        """Check that the server is as it was, and can be migrated."""
        self.assert_on(SOURCE)
        self.assert_active()
        self.live_migrate()
        self.assert_on(DESTINATION)

    def assert_active(self) -> None:
        """Check that Nova says that nothing is wrong."""
        server = self.admin_api.get_server(self.server_id)
        self.assertEqual('ACTIVE', server['status'])

    def reset(self) -> None:
        """Have Nova take the server for one that runs.

        Since 2026.2, Nova itself puts one in error whose guest could not be
        migrated, and goes on: last, when the migration is over already.
        """
        self.wait_for(lambda: not self.guest_moves.under_way)
        self.admin_api.post_server_action(
            self.server_id, {'os-resetState': {'state': 'active'}}
        )

    def reboot(self, host: str = DESTINATION) -> None:
        """Reboot the server, which heals it."""
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(host)

    def kill_while_preparing(self) -> None:
        """Begin; the source is killed before it tells libvirt anything."""
        with mock.patch.object(
            manager.ComputeManager,
            '_do_pre_live_migration_from_source',
            autospec=True,
            side_effect=Killed,
        ):
            self.begin()
            self.wait_for(lambda: self.last()['status'] == 'preparing')

    def kill_the_source(self) -> None:
        """Begin; the source is killed when it is about to tell libvirt."""
        with mock.patch.object(
            driver.LibvirtDriver,
            '_live_migration',
            autospec=True,
            side_effect=Killed,
        ) as reached:
            self.begin()
            self.wait_for(lambda: reached.called)
            self.wait_for(lambda: self.last()['status'] == 'running')
