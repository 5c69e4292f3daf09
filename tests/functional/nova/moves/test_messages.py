# SPDX-License-Identifier: Apache-2.0

"""Messages of a move come twice, or late."""

from tests.functional.nova import messages  # isort: skip - first

import collections.abc
import typing as ty

from tests.functional.nova.moves import moving

# Of a migration, and what follows it.
_MIGRATE = (
    'migrate_server',
    'prep_resize',
    'resize_instance',
    'finish_resize',
)
_CONFIRM = ('confirm_resize',)
_REVERT = ('revert_resize', 'finish_revert_resize')


class TestCase(messages.TestCase):
    """A server that is moved between two compute nodes."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(moving.NoDisks())
        self.server = self.boot(self.context)

    def do(self, action: str, status: str) -> None:
        """Do something with the server, and wait for its status."""
        self.act(self.server, action, status, api=self.admin_api)

    def assert_waits(self, source: str) -> None:
        """Check that the guest has a device, and another one is kept."""
        context = self.get_context(self.context)
        self.assertEqual('bound', context['status'])
        self.assertNotEqual(source, context['host'])
        (device,) = context['devices']
        self.assert_hostdevs(self.server, [device['slot']])
        self.assertEqual(2, len(self.used_slots()))
        self.assert_in_step(audited=False)

    def assert_rests(self) -> None:
        """Check that the guest has a device, and there is no other one."""
        self.wait_for_status(self.server, 'ACTIVE')
        self.wait_for(lambda: len(self.used_slots()) == 1)
        self.assert_uses_all(self.server)
        self.assert_in_step(audited=False)

    def host(self) -> str:
        """Return the host that the server is on."""
        found = self.admin_api.get_server(self.server['id'])
        return found['OS-EXT-SRV-ATTR:host']


class TwiceTest(TestCase):
    """Each message comes twice."""

    TOGETHER = True

    def _do(self, action: str, status: str, method: str) -> None:
        done = self.deliver_twice(method, self.TOGETHER)
        self.do(action, status)
        self.assert_delivered(done)
        self.wait_for_status(self.server, status)

    def _assert_moves(
        self, method: str, ends: collections.abc.Callable[[], None]
    ) -> None:
        source = self.host()
        self._do('migrate', 'VERIFY_RESIZE', method)
        self.assert_waits(source)
        ends()
        self.assert_rests()

    def test_migrate(self) -> None:
        for method in _MIGRATE:
            self._assert_moves(
                method, lambda: self.do('revertResize', 'ACTIVE')
            )

    def test_confirm_and_revert(self) -> None:
        for method in _REVERT:
            self._assert_moves(
                'prep_resize',
                lambda m=method: self._do('revertResize', 'ACTIVE', m),
            )
        for method in _CONFIRM:
            self._assert_moves(
                'finish_resize',
                lambda m=method: self._do('confirmResize', 'ACTIVE', m),
            )


class TwiceInTurnTest(TwiceTest):
    """The second comes when the first has been dealt with."""

    TOGETHER = False


class LateTest(TestCase):
    """Messages come again when other operations have followed."""

    def _kept(
        self, methods: tuple[str, ...]
    ) -> list[collections.abc.Callable[[], object]]:
        return [self.keep_message(method) for method in methods]

    def _deliver(
        self, kept: list[collections.abc.Callable[[], object]]
    ) -> None:
        before: list[ty.Any] = self.hostdevs(self.server)
        for deliver in kept:
            deliver()
        self.assertEqual(before, self.hostdevs(self.server))

    def test_after_other_moves(self) -> None:
        kept = self._kept(_MIGRATE + _CONFIRM)
        self.do('migrate', 'VERIFY_RESIZE')
        self.do('confirmResize', 'ACTIVE')
        self.assert_rests()
        self._deliver(kept)
        self.assert_rests()

        kept += self._kept(_REVERT)
        source = self.host()
        self.do('migrate', 'VERIFY_RESIZE')
        self._deliver(kept[:-2])
        self.assert_waits(source)
        self.do('revertResize', 'ACTIVE')
        self._deliver(kept)
        self.assert_rests()

        self.do('migrate', 'VERIFY_RESIZE')
        self._deliver(kept)
        self.assert_waits(source)
        self.do('confirmResize', 'ACTIVE')
        self._deliver(kept)
        self.assert_rests()
