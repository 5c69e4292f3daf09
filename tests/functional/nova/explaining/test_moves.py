# SPDX-License-Identifier: Apache-2.0

"""Why a server does not get to another host, as server and context say it."""

from tests.functional.nova.explaining import explained  # isort: skip - first

import typing as ty

from tests.functional.nova.moves import moving

_NO_HOST = 'No valid host was found. '
_LEFT = (
    'A host has all of it free, but perhaps only the one that the server is '
    'to leave: wait until another one has, or ask the administrator.'
)


class MoveTest(explained.TestCase):
    """A server with a device context, on the first of two hosts."""

    HOSTS = moving.HOSTS

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(moving.NoDisks())

    def test_migrate(self) -> None:
        self._boot(slots=2)
        said = self._is_refused('migrate', None)
        self.assertEqual(_LEFT, said)
        self.add_device(moving.DESTINATION)
        asked = self._explanations()
        self.act(self.server, 'migrate', 'VERIFY_RESIZE', None, self.admin_api)
        # That succeeds, and nobody is asked why not.
        self.assertEqual(asked, self._explanations())
        self.assertIsNone(self.get_context(self.context)['fault'])

    def test_migrate_when_all_are_used(self) -> None:
        self._boot(slots=1)
        said = self._is_refused('migrate', None)
        self.assertIn('All units of FPGA are used', said)

    def test_resize(self) -> None:
        self._boot(slots=1)
        self.add_device(moving.DESTINATION)
        self.flags(ram=-1, group='quota')
        flavor = self._create_flavor(memory_mb=10**8)
        said = self._is_refused('resize', {'flavorRef': flavor})
        self.assertEqual(
            'No host that has the devices free has 100000000 MB of memory '
            'free: choose a smaller flavor.',
            said,
        )

    def test_evacuate(self) -> None:
        self._boot(slots=2)
        self._force_down(moving.SOURCE)
        self.act(self.server, 'evacuate', 'ERROR', {}, self.admin_api)
        self.assertEqual(_NO_HOST + _LEFT, self.fault_of(self.server))
        self.assertEqual(_LEFT, self.get_context(self.context)['fault'])
        self.add_device(moving.DESTINATION)
        asked = self._explanations()
        self.act(self.server, 'evacuate', 'ACTIVE', {}, self.admin_api)
        self.assertEqual(asked, self._explanations())
        self.assertIsNone(self.get_context(self.context)['fault'])

    def _boot(self, slots: int) -> None:
        self.add_device(moving.SOURCE, slots=slots)
        self.context = self.create_context()
        self.server = self.boot(self.context)

    def _is_refused(
        self, action: str, arguments: dict[str, ty.Any] | None
    ) -> str:
        """Do something in vain; return what is said of it.

        By the device context, and by the action of the server, which goes on
        as it was: it has no fault that Nova would show.
        """
        server_id = self.server['id']
        self.admin_api.post_server_action(server_id, {action: arguments})
        said = self.wait_for(lambda: self.get_context(self.context)['fault'])
        self.wait_for_status(self.server, 'ACTIVE')
        self.assertEqual('bound', self.status(self.context))
        self.wait_for(lambda: _NO_HOST + said in self._why(server_id))
        return ty.cast(str, said)

    def _why(self, server_id: str) -> list[str]:
        """Return why the last action of a server has failed."""
        # By Nova's default, such details are for administrators; members have
        # the fault of the device context.
        actions = self.admin_api.get_instance_actions(server_id)
        found = self.admin_api.get_instance_action_details(
            server_id, actions[0]['request_id']
        )
        return [each.get('details') for each in found['events']]

    def _explanations(self) -> int:
        return sum(
            path.endswith('/explain') for _method, path in self.nova_calls()
        )

    def _force_down(self, host: str) -> None:
        (service,) = self.admin_api.get_services(
            host=host, binary='nova-compute'
        )
        self.admin_api.put_service_force_down(service['id'], True)
