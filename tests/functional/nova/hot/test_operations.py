# SPDX-License-Identifier: Apache-2.0

"""A device context is attached while something else is done with a server.

Whichever comes first: the server has the device in the end, or it has not, and
who attached it was told so.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

from tests.functional.nova.hot import two_hosts

# Where it waits: before it is begun, in it, and when the guest has the device.
_BEFORE = racing.ENDPOINT
_BEGUN = f'{racing.ATTACHMENT}._bind'
# In nova-api, when it is reserved; in nova-compute.
_API = 'nova_cyborg.nova.api.attachments.rpcapi.attach'
_PLUGS = f'{racing.DRIVER}.plug_devices'
_PLUGGED = f'{racing.ATTACHMENT}._describe'
_STEPS = (
    _BEFORE,
    f'{racing.ATTACHMENT}._mark',
    _BEGUN,
    'nova_cyborg.cyborg_client.AllocationClient.bind_attached',
    _PLUGS,
    _PLUGGED,
)
_IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'


class TestCase(racing.TestCase, two_hosts.TestCase):
    """A server that may go to another host, and has no device context."""


class LockedTest(TestCase):
    """What nova-compute does one after the other for one server."""

    def test_reboot(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.begin('reboot', type='HARD')
            attach.go_on()
            self.reach('ACTIVE')
            self.assert_settled()

    def test_stop(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.begin('os-stop')
            attach.go_on()
            self.reach('SHUTOFF')
            self.outcomes(racing.ATTACH)
            self.do('os-start')
            self.assert_settled()

    def test_shelve(self) -> None:
        self.flags(shelved_offload_time=0)
        for step in _STEPS:
            attach = self.attach_until(step)
            self.begin('shelve')
            attach.go_on()
            self.reach('SHELVED_OFFLOADED')
            self.wait_for(lambda: not self.used_slots())
            self.outcomes(racing.ATTACH)
            self.do('unshelve')
            self.assert_settled()

    def test_delete(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.api.delete_server(self.server['id'])
            attach.go_on()
            self._wait_until_deleted(self.server)
            self.assert_nothing_held()
            self.pci = self.create_context()
            self.server = self.boot_first()
        self.assert_in_step(audited=False)


class MeanwhileTest(TestCase):
    """What is done from the beginning to the end meanwhile."""

    def test_rebuild(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.do('rebuild', imageRef=_IMAGE)
            attach.go_on()
            self.assert_settled()

    def test_suspend(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.do('suspend', 'SUSPENDED')
            attach.go_on()
            self.outcomes(racing.ATTACH)
            self.do('resume')
            self.assert_settled()

    def test_start(self) -> None:
        for step in _STEPS:
            self.do('os-stop', 'SHUTOFF')
            attach = self.attach_until(step)
            self.do('os-start')
            attach.go_on()
            self.assert_settled()

    def test_migrate(self) -> None:
        for step in _STEPS:
            for end in ('confirmResize', 'revertResize'):
                attach = self.attach_until(step)
                self.do('migrate', 'VERIFY_RESIZE')
                attach.go_on()
                self.outcomes(racing.ATTACH)
                self.do(end)
                self.assert_settled()

    def test_live_migrate(self) -> None:
        for step in _STEPS:
            attach = self.attach_until(step)
            self.live_migrate()
            attach.go_on()
            self.assert_settled()

    def test_shelve(self) -> None:
        self.flags(shelved_offload_time=0)
        attach = self.attach_until(_BEFORE)
        self.do('shelve', 'SHELVED_OFFLOADED')
        attach.go_on()
        self.assertIn('something else', self.outcomes(racing.ATTACH)[0])
        self.do('unshelve')
        self.assert_settled()

    def test_delete(self) -> None:
        for step in (
            _BEFORE,
            'nova_cyborg.nova.api.attachments.rpcapi.attach',
        ):
            pause = self.pause(step)
            post = racing.Request(self.post, self.pci)
            pause.reached()
            self.delete(self.server)
            pause.go_on()
            post.refusal()
            self.wait_for(lambda: self.status(self.pci) == 'available')
            self.assert_nothing_held()
            self.server = self.boot_first()


class StaleTest(TestCase):
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
