# SPDX-License-Identifier: Apache-2.0

"""A device context is detached while something else is done with a server."""

from tests.functional.nova.hot import racing  # isort: skip - first

from tests.functional.nova.hot import two_hosts

_CLIENT = 'nova_cyborg.cyborg_client.AllocationClient'
# Where it waits: before it is begun, while the guest has the device, when it
# is bound still, when it is not, and when the device context is free.
_STEPS = (
    racing.ENDPOINT,
    f'{racing.ATTACHMENT}._unplug',
    f'{_CLIENT}.unplug',
    f'{_CLIENT}.detached',
    f'{racing.ATTACHMENT}._describe',
)
# Before nova-compute looks at the server for the last time.
_BEFORE = _STEPS[:2]
_IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'


class TestCase(racing.TestCase, two_hosts.TestCase):
    """A server that may go to another host, and has a device context."""


class LockedTest(TestCase):
    """What nova-compute does one after the other for one server."""

    def test_reboot(self) -> None:
        for step in _STEPS:
            detach = self.detach_until(step)
            self.begin('reboot', type='HARD')
            detach.go_on()
            self.reach('ACTIVE')
            self.assert_settled(racing.DETACH)

    def test_shelve(self) -> None:
        self.flags(shelved_offload_time=0)
        for step in _BEFORE:
            detach = self.detach_until(step)
            self.begin('shelve')
            detach.go_on()
            self.reach('SHELVED_OFFLOADED')
            self.wait_for(lambda: not self.used_slots())
            self.outcomes(racing.DETACH)
            self.do('unshelve')
            self.assert_settled(racing.DETACH)

    def test_delete(self) -> None:
        for step in _STEPS:
            detach = self.detach_until(step)
            self.api.delete_server(self.server['id'])
            detach.go_on()
            self._wait_until_deleted(self.server)
            self.assert_nothing_held()
            self.pci = self.create_context()
            self.server = self.boot_first()
        self.assert_in_step(audited=False)


class MeanwhileTest(TestCase):
    """What is done from the beginning to the end meanwhile."""

    def test_rebuild(self) -> None:
        for step in _STEPS:
            detach = self.detach_until(step)
            self.do('rebuild', imageRef=_IMAGE)
            detach.go_on()
            self.assert_settled(racing.DETACH)

    def test_migrate(self) -> None:
        for end in ('confirmResize', 'revertResize'):
            for step in _STEPS:
                detach = self.detach_until(step)
                self.do('migrate', 'VERIFY_RESIZE')
                detach.go_on()
                self.outcomes(racing.DETACH)
                self.do(end)
                self.assert_settled(racing.DETACH)

    def test_live_migrate(self) -> None:
        for step in _STEPS:
            detach = self.detach_until(step)
            self.live_migrate()
            detach.go_on()
            self.assert_settled(racing.DETACH)


class StaleTest(TestCase):
    """nova-api has looked at the server before, and begins it then."""

    def test_migrate(self) -> None:
        self.attach(self.pci)
        pause = self.pause('nova_cyborg.nova.api.compute_api.API.resize')
        request = racing.Request(
            self.admin_api.post_server_action,
            self.server['id'],
            {'migrate': None},
        )
        pause.reached()
        self.detach(self.pci)
        pause.go_on()
        self.assertIsNone(request.refusal())
        self.reach('VERIFY_RESIZE')
        self.do('confirmResize')
        self.assert_as_before()
