# SPDX-License-Identifier: Apache-2.0

"""Device contexts are attached and detached, two at the same time."""

from tests.functional.nova.hot import racing  # isort: skip - first

import typing as ty

_ATTACH, _DETACH = racing.ATTACH, racing.DETACH
_ATTACHMENT = racing.ATTACHMENT


class AtOnceTest(racing.TestCase):
    """Two device contexts, with one server."""

    def test_two_are_attached(self) -> None:
        """Both are asked for before the first one is there."""
        first = self.pause(f'{_ATTACHMENT}._bind')
        self.post(self.pci)
        first.reached()
        self.post(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_ATTACH, _ATTACH))
        self.assert_has(self.pci, self.mdev)
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_as_before()


class OneServerTest(racing.TestCase):
    """One or two, with one server."""

    def test_one_is_attached_twice(self) -> None:
        """The second request does what the first one has begun."""
        for step in ('_bind', '_describe'):
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.post(self.pci)
            first.reached()
            self.post(self.pci)
            first.go_on()
            why, none = self.outcomes(_ATTACH, _ATTACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_has(self.pci)
            self.detach(self.pci)
            self.assert_as_before()

    def test_one_is_attached_and_detached(self) -> None:
        for step in ('_mark', '_bind', '_describe'):
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.post(self.pci)
            first.reached()
            self.delete_attachment(self.pci)
            first.go_on()
            why, none = self.outcomes(_ATTACH, _DETACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_as_before()

    def test_one_is_detached_and_attached(self) -> None:
        for step in ('_unplug', '_unbind'):
            self.attach(self.pci)
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.delete_attachment(self.pci)
            first.reached()
            status, why = self.refused(self.post, self.pci)
            self.assertEqual(409, status)
            self.assertIn('detach', why)
            first.go_on()
            self.assertEqual([None], self.outcomes(_DETACH))
            self.assert_as_before()

    def test_one_is_detached_twice(self) -> None:
        """The second request does what the first one has begun."""
        for step in ('_require', '_unplug', '_unbind', '_release'):
            self.attach(self.pci)
            self.attach(self.mdev)
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.delete_attachment(self.pci)
            first.reached()
            self.delete_attachment(self.pci)
            first.go_on()
            why, none = self.outcomes(_DETACH, _DETACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_has(self.mdev)
            self.detach(self.mdev)
            self.assert_as_before()

    def test_two_are_detached(self) -> None:
        self.attach(self.pci)
        self.attach(self.mdev)
        first = self.pause(f'{_ATTACHMENT}._unplug')
        self.delete_attachment(self.pci)
        first.reached()
        self.delete_attachment(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_DETACH, _DETACH))
        self.assert_as_before()

    def test_one_is_detached_while_another_is_attached(self) -> None:
        self.attach(self.pci)
        first = self.pause(f'{_ATTACHMENT}._release')
        self.delete_attachment(self.pci)
        first.reached()
        self.post(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_DETACH, _ATTACH))
        self.assert_has(self.mdev)
        self.detach(self.mdev)
        self.assert_as_before()


class TwoServersTest(racing.TestCase):
    """One device context is attached to two servers."""

    SLOTS = 2

    def setUp(self) -> None:
        super().setUp()
        self.servers = [self.server, self.boot()]

    def test_while_the_first_gets_it(self) -> None:
        first, second = self.servers
        pause = self.attach_until(f'{_ATTACHMENT}._bind')
        self.server = second
        self._assert_refused(self.refused(self.post, self.pci), first)
        self.server = first
        pause.go_on()
        self.assertEqual([None], self.outcomes(_ATTACH))
        self._assert_has_it()

    def test_while_the_first_loses_it(self) -> None:
        first, second = self.servers
        self.attach(self.pci)
        pause = self.pause(f'{_ATTACHMENT}._release')
        self.delete_attachment(self.pci)
        pause.reached()
        self.server = second
        self._assert_refused(self.refused(self.post, self.pci), first)
        pause.go_on()
        self.wait_for(lambda: self.status(self.pci) == 'available')
        self.attach(self.pci)
        self._assert_has_it()

    def test_at_the_same_time(self) -> None:
        """Both requests are in Cyborg before one of them is served."""
        self.cyborg.control(
            'fault', method='POST', path='/attach$', action='delay', value=2
        )
        requests = [
            racing.Request(self.post, self.pci, None, server)
            for server in self.servers
        ]
        answers = [request.refusal() for request in requests]
        self.cyborg.control('clear_faults')
        (won,) = [n for n, answer in enumerate(answers) if answer is None]
        self.server = self.servers[won]
        self._assert_refused(answers[not won], self.server)
        self.assertEqual([None], self.outcomes(_ATTACH))
        self._assert_has_it()

    def _assert_refused(
        self, answer: tuple[int, str], holder: dict[str, ty.Any]
    ) -> None:
        status, why = answer
        self.assertEqual(409, status)
        self.assertIn(f'in use by server {holder["id"]}', why)

    def _assert_has_it(self) -> None:
        self.assert_has(self.pci)
        self.detach(self.pci)
        self.assert_as_before()
