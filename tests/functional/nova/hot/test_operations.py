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
_BIND = 'nova_cyborg.cyborg_client.AllocationClient.bind_attached'
# In nova-api, when it is reserved; in nova-compute.
_API = 'nova_cyborg.nova.api.attachments.rpcapi.attach'
_PLUGS = f'{racing.DRIVER}.plug_devices'
_PLUGGED = f'{racing.ATTACHMENT}._describe'
_STEPS = (
    _BEFORE,
    f'{racing.ATTACHMENT}._mark',
    _BEGUN,
    _BIND,
    _PLUGS,
    _PLUGGED,
)
_PLACEMENT = 'nova.scheduler.client.report.SchedulerReportClient'
_IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'


def _forgets(
    _client: object, _url: str, data: object, *_args: object, **_more: object
) -> bool:
    """Tell whether a request has Placement forget all of a consumer."""
    return isinstance(data, dict) and data.get('allocations') == {}


class TestCase(racing.TestCase, two_hosts.TestCase):
    """A server that may go to another host, and has no device context."""

    def assert_migrated(self) -> None:
        """Check that Nova has ended the migration, and not in error."""

        def migrations() -> list[str]:
            path = f'/os-migrations?instance_uuid={self.server["id"]}'
            found = self.admin_api.api_get(path).body['migrations']
            return [each['status'] for each in found]

        self.wait_for(lambda: migrations() == ['completed'])
        self.assertEqual(
            'ACTIVE', self.api.get_server(self.server['id'])['status']
        )


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

    def test_live_migrate_that_is_being_ended(self) -> None:
        """Nova forgets what was added, and has read that before it goes."""
        attach = self.attach_until(_BIND)
        self.begin('os-migrateLive', host=None, block_migration='auto')
        forgets = self.pause(f'{_PLACEMENT}.put', which=_forgets)
        forgets.reached()
        takes_back = self.pause('nova_cyborg.nova.placement.take_back')
        attach.go_on()
        takes_back.reached()
        takes_back.go_on()
        forgets.go_on()
        self.reach('ACTIVE')
        self.outcomes(racing.ATTACH)
        self.assert_migrated()
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


class MidstTest(TestCase):
    """nova-compute has asked what a guest is to have, and makes it then."""

    _REBUILD = f'{racing.STOCK}._rebuild_default_impl'
    _START = 'nova.virt.libvirt.driver.LibvirtDriver.power_on'
    _SAVE = 'nova.virt.libvirt.guest.Guest.save_memory_state'

    def test_attach_and_rebuild(self) -> None:
        self._attach(self._REBUILD, 'rebuild', imageRef=_IMAGE)
        self.reach('ACTIVE')
        self.assertIn('rebuild', self.assert_settled())

    def test_attach_and_start(self) -> None:
        self.do('os-stop', 'SHUTOFF')
        self._attach(self._START, 'os-start')
        self.reach('ACTIVE')
        self.assertIn('powering-on', self.assert_settled())

    def test_attach_and_suspend(self) -> None:
        self._attach(self._SAVE, 'suspend')
        self.reach('SUSPENDED')
        self.do('resume')
        self.assertIn('suspending', self.assert_settled())

    def test_attach_and_live_migrate(self) -> None:
        self._attach(
            f'{racing.STOCK}.post_live_migration_at_destination',
            'os-migrateLive',
            host=None,
            block_migration='auto',
        )
        self.reach('ACTIVE')
        self.assert_migrated()
        self.assertIsNotNone(self.assert_settled())

    def test_attach_and_migrate(self) -> None:
        for where in ('_prep_resize', '_resize_instance'):
            for end in ('confirmResize', 'revertResize'):
                self._attach(f'{racing.STOCK}.{where}', 'migrate')
                self.reach('VERIFY_RESIZE')
                self.do(end)
                self.assertIsNotNone(self.assert_settled())

    def test_attach_and_end_of_migrate(self) -> None:
        """Nova stores the marks again that were taken meanwhile."""
        for end in ('confirmResize', 'revertResize'):
            self._attach(f'{racing.STOCK}._finish_resize', 'migrate')
            self.reach('VERIFY_RESIZE')
            self.do(end)
            # They are dropped when the guest is started the next time.
            self.do('reboot', type='HARD')
            self.assertIsNotNone(self.assert_settled())

    def test_detach_and_rebuild(self) -> None:
        self._detach(self._REBUILD, 'rebuild', imageRef=_IMAGE)
        self.reach('ACTIVE')
        self._assert_kept('rebuild')

    def test_detach_and_start(self) -> None:
        self._detach(self._START, 'os-start', stopped=True)
        self.reach('ACTIVE')
        self._assert_kept('powering-on')

    def _attach(self, where: str, action: str, **more: object) -> None:
        """Attach while an operation waits that was begun meanwhile."""
        first = self.attach_until(_BEGUN)
        second = self.pause(where)
        self.begin(action, **more)
        second.reached()
        first.go_on()
        self.outcomes(racing.ATTACH)
        second.go_on()

    def _detach(
        self, where: str, action: str, stopped: bool = False, **more: object
    ) -> None:
        """Detach while an operation waits that was begun meanwhile."""
        if stopped:
            self.do('os-stop', 'SHUTOFF')
        first = self.detach_until(f'{racing.ATTACHMENT}._unplug')
        second = self.pause(where)
        self.begin(action, **more)
        second.reached()
        first.go_on()
        self.outcomes(racing.DETACH)
        second.go_on()

    def _assert_kept(self, state: str) -> None:
        """Check that the server has all, and who detached was told so."""
        self.assertIn(state, self.outcomes(racing.DETACH)[0])
        self.assert_has(self.pci)
        self.detach(self.pci)
        self.assert_as_before()
