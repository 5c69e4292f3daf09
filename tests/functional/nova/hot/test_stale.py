# SPDX-License-Identifier: Apache-2.0

"""A device context is attached before what nova-api was asked for earlier."""

from tests.functional.nova.hot import racing  # isort: skip - first

from tests.functional.nova.hot import two_hosts

_IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'


class StaleTest(racing.TestCase, two_hosts.TestCase):
    """nova-api has looked at the server before, and begins it then."""

    _API = 'nova_cyborg.nova.api.compute_api.API'

    def _attach_before(self, name: str, action: str, **more: object) -> None:
        """Attach between nova-api's look at the server and an operation."""
        pause = self.pause(name)
        request = racing.Request(
            self.admin_api.post_server_action,
            self.server['id'],
            {action: more or None},
        )
        pause.reached()
        self.attach(self.pci)
        pause.go_on()
        self.assertIsNone(request.refusal())

    def test_reboot(self) -> None:
        self._attach_before(f'{self._API}.reboot', 'reboot', type='HARD')
        self.reach('ACTIVE')
        self.assert_settled()

    def test_stop(self) -> None:
        self._attach_before('nova.compute.api.API.stop', 'os-stop')
        self.reach('SHUTOFF')
        self.do('os-start')
        self.assert_settled()

    def test_start(self) -> None:
        self.do('os-stop', 'SHUTOFF')
        self._attach_before(f'{self._API}.start', 'os-start')
        self.reach('ACTIVE')
        self.assert_settled()

    def test_suspend(self) -> None:
        self._attach_before(f'{self._API}.suspend', 'suspend')
        self.reach('SUSPENDED')
        self.do('resume')
        self.assert_settled()

    def test_rebuild(self) -> None:
        self._attach_before(f'{self._API}.rebuild', 'rebuild', imageRef=_IMAGE)
        self.reach('ACTIVE')
        self.assert_settled()

    def test_shelve(self) -> None:
        self.flags(shelved_offload_time=0)
        self._attach_before('nova.compute.api.API.shelve', 'shelve')
        self.reach('SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        self.do('unshelve')
        self.assert_settled()

    def test_migrate(self) -> None:
        self._attach_before(f'{self._API}.resize', 'migrate')
        self.reach('VERIFY_RESIZE')
        self.do('confirmResize')
        self.assert_settled()

    def test_live_migrate(self) -> None:
        self._attach_before(
            f'{self._API}.live_migrate',
            'os-migrateLive',
            host=None,
            block_migration='auto',
        )
        self.reach('ACTIVE')
        self.assert_settled()

    def test_delete(self) -> None:
        pause = self.pause('nova.compute.api.API.delete')
        request = racing.Request(self.api.delete_server, self.server['id'])
        pause.reached()
        self.attach(self.pci)
        pause.go_on()
        self.assertIsNone(request.refusal())
        self._wait_until_deleted(self.server)
        self.assert_nothing_held()
