# SPDX-License-Identifier: Apache-2.0

"""Servers with a volume for a disk, that are locked, or of another project.

They are moved as any others are.
"""

from tests.functional.nova.moves import running  # isort: skip - first

import typing as ty

from nova.tests import fixtures as nova_fixtures
from nova.tests.functional.api import client

from tests.functional.nova.moves import moving

SOURCE, DESTINATION = running.HOSTS


class TestCase(running.TestCase):
    """One server, with a PCI device and a mediated device."""

    KINDS = running.TestCase.KINDS[1:2]

    def setUp(self) -> None:
        super().setUp()
        (self.moved,) = self.all

    def migrate_back(self) -> None:
        """Migrate the server to the host that it came from."""
        self.do('migrate', 'VERIFY_RESIZE', {'host': SOURCE})
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)

    def assert_goes_everywhere(self) -> None:
        """Check each kind of move, and what can follow it."""
        self.migrate()
        self.revert()
        self.resize()
        self.confirm()
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(DESTINATION)
        self.migrate_back()
        self.live_migrate()
        self.assert_moved()
        self.do('suspend', 'SUSPENDED')
        self.do('resume', 'ACTIVE')
        self.assert_moved()


class VolumeTest(TestCase):
    """Its disk is a volume, which is attached to the host that it is on."""

    def _boot(
        self, kind: tuple[tuple[dict[str, int], ...], ...]
    ) -> moving.Moved:
        contexts = [
            self.create_context(groups=[{'resources': each}])
            for (each,) in kind
        ]
        volume = {
            'boot_index': 0,
            'uuid': nova_fixtures.CinderFixture.IMAGE_BACKED_VOL,
            'source_type': 'volume',
            'destination_type': 'volume',
        }
        server = self.boot(
            *contexts, imageRef='', block_device_mapping_v2=[volume]
        )
        return moving.Moved(server, contexts, len(kind))

    def test_moves(self) -> None:
        self.assertEqual('', self.moved.server['image'])
        self.assert_goes_everywhere()

    def test_a_live_migration_that_fails(self) -> None:
        self.guest_moves.fails = True
        self.admin_api.post_server_action(
            self.moved.server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(
            lambda: (
                {each['status'] for each in self.migrations()}
                & {'failed', 'error'}
            )
        )
        self.wait_for(lambda: not self.guest_moves.under_way)
        self.admin_api.post_server_action(
            self.moved.server['id'], {'os-resetState': {'state': 'active'}}
        )
        self.wait_for_all('ACTIVE')
        self.assert_on(SOURCE)

    def test_shelve_and_evacuate(self) -> None:
        self.migrate()
        self.confirm()
        self.flags(shelved_offload_time=0)
        # Nova offloads at once what has no image to be made of.
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        self.do('unshelve', 'ACTIVE')
        host = self.admin_api.get_server(self.moved.server['id'])[
            'OS-EXT-SRV-ATTR:host'
        ]
        self.assert_on(host)
        (other,) = {SOURCE, DESTINATION} - {host}
        self.take_down(host)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(other)


class LockedTest(TestCase):
    """Its owner has locked it; an administrator passes that."""

    def setUp(self) -> None:
        super().setUp()
        self.api.post_server_action(self.moved.server['id'], {'lock': None})

    def test_moves(self) -> None:
        self.assert_goes_everywhere()
        found = self.api.get_server(self.moved.server['id'])
        self.assertTrue(found['locked'])

    def test_the_owner_is_refused(self) -> None:
        self._assert_refused({'resize': {'flavorRef': self.bigger}})
        self.assert_on(SOURCE)
        self.migrate()
        for action in ('confirmResize', 'revertResize'):
            self._assert_refused({action: None})
            self.assert_waiting()
        self.revert()

    def _assert_refused(self, action: dict[str, ty.Any]) -> None:
        refused = self.assertRaises(
            client.OpenStackApiException,
            self.api.post_server_action,
            self.moved.server['id'],
            action,
        )
        self.assertEqual(409, refused.response.status_code)
        self.assertIn('is locked', refused.response.text)


class OtherProjectTest(TestCase):
    """An administrator moves it who is of another project."""

    def setUp(self) -> None:
        super().setUp()
        before = self.admin_api
        project = 'administrators'
        self.admin_api = client.TestOpenStackClient(
            'admin',
            before.base_url.replace(before.project_id, project),
            project,
            roles=['admin', 'member', 'reader'],
        )
        self.admin_api.microversion = before.microversion
        self.assertNotEqual(project, self.moved.server['tenant_id'])

    def test_moves(self) -> None:
        self.assert_goes_everywhere()

    def test_its_owner_ends_it(self) -> None:
        for action, host in (
            ('revertResize', SOURCE),
            ('confirmResize', DESTINATION),
        ):
            self.migrate()
            self.act(self.moved.server, action)
            self.assert_on(host)

    def test_delete_before_it_is_confirmed(self) -> None:
        self.migrate()
        self.admin_api.delete_server(self.moved.server['id'])
        self._wait_until_deleted(self.moved.server)
        self.assert_nothing_held()

    def test_evacuate(self) -> None:
        self.take_down(SOURCE)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(DESTINATION)
        self.bring_back(SOURCE)
        self.assert_on(DESTINATION)
