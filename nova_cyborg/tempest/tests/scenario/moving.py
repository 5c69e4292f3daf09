# SPDX-License-Identifier: Apache-2.0

"""Servers that are moved, with their devices, from one host to another."""

import typing as ty

from tempest import config
from tempest.lib.common.utils import test_utils

from nova_cyborg.tempest.tests.scenario import base

CONF = config.CONF

_Slots = list[tuple[str, str]]


class MovedServerTest(base.BaseServerTest):
    """A server with two device contexts, which is moved.

    :cvar live_migration: what its device contexts say of live migration.
    """

    # Migrations show their UUIDs: Placement has them for consumers.
    min_microversion = '2.59'
    live_migration = 'refuse'

    @classmethod
    def skip_checks(cls) -> None:
        """Skip where there is no other host."""
        super().skip_checks()
        if CONF.compute.min_compute_nodes < 2:
            raise cls.skipException(
                'There is one host only ([compute] min_compute_nodes)'
            )

    @classmethod
    def setup_clients(cls) -> None:
        """Name the client that tells of migrations."""
        super().setup_clients()
        cls.migrations = cls.os_admin.migrations_client

    def setUp(self) -> None:
        """Boot the server."""
        super().setUp()
        self.context_ids = [
            self.create_context(live_migration=self.live_migration)['uuid']
            for _ in range(2)
        ]
        self.server_id = self.boot(*self.context_ids)
        self.source = self.node()
        self.before = self.slots_now()
        self.allocated = self.allocations_of(self.server_id)

    def node(self) -> str:
        """Return the node that the server is on."""
        shown = self.admin_servers.show_server(self.server_id)['server']
        return str(shown['OS-EXT-SRV-ATTR:hypervisor_hostname'])

    def slots_now(self) -> _Slots:
        """Check that the devices are bound where the server is.

        :returns: the ARQ and the slot of each.
        """
        return self.assert_bound(self.server_id, *self.context_ids)

    def assert_bindings(self, **nodes: str) -> None:
        """Wait until the device contexts have certain bindings.

        :param nodes: the node of each, by the binding's state.
        """

        def bindings() -> list[dict[str, str]]:
            return [
                {each['state']: each['host'] for each in shown['bindings']}
                for shown in map(self.show, self.context_ids)
            ]

        if not test_utils.call_until_true(
            lambda: bindings() == [nodes] * len(self.context_ids),
            CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            self.fail(f'bindings are {bindings()}, and not {nodes}')

    def assert_waiting(self) -> None:
        """Check that the server has devices on both hosts."""
        self.wait_for(self.server_id, 'VERIFY_RESIZE')
        destination = self.node()
        self.assertNotEqual(self.source, destination)
        self.assert_bindings(active=destination, leaving=self.source)
        self.assertEqual(set(), self._arqs() & {arq for arq, _ in self.before})
        for context_id in self.context_ids:
            (left,) = (
                each['devices']
                for each in self.show(context_id)['bindings']
                if each['state'] == 'leaving'
            )
            self.assertEqual({'Bound'}, {each['state'] for each in left})
        self.migration_id = self._last_migration()
        self.assertEqual(
            self.allocated, self.allocations_of(self.migration_id)
        )

    def assert_moved(self) -> None:
        """Check that the server is elsewhere, and has left nothing."""
        self._assert_settled()
        self.assertNotEqual(self.source, self.node())
        self.assertEqual(set(), self._arqs() & {arq for arq, _ in self.before})

    def assert_returned(self) -> None:
        """Check that the server is where it was, with the devices it had."""
        self._assert_settled()
        self.assertEqual(self.source, self.node())
        self.assertEqual(self.before, self.slots_now())
        self.assertEqual(self.allocated, self.allocations_of(self.server_id))

    def _assert_settled(self) -> None:
        server = self.wait_for(self.server_id, 'ACTIVE')
        self.assertNotIn('fault', server)
        self.assert_bindings(active=self.node())
        self.slots_now()
        self.migration_id = self._last_migration()
        self.assert_migration_forgotten()

    def assert_migration_forgotten(self) -> None:
        """Check that Placement has nothing for the migration."""
        self.assertEqual({}, self.allocations_of(self.migration_id))

    def _arqs(self) -> set[str]:
        return {arq for arq, _slot in self.slots_now()}

    def _last_migration(self) -> str:
        # That which was made last is listed first.
        listed: list[dict[str, ty.Any]] = self.migrations.list_migrations(
            instance_uuid=self.server_id
        )['migrations']
        return str(listed[0]['uuid'])
