# SPDX-License-Identifier: Apache-2.0

"""Something fails while a device context is attached or detached.

All is as before then, or the same call does the rest.
"""

from tests.functional.nova.hot import plugging  # isort: skip - first

import collections.abc
import contextlib
import re
import typing as ty
from unittest import mock

import requests
from keystoneauth1 import exceptions as ks_exc
from nova import objects
from nova.compute import task_states, vm_states
from nova_cyborg import exception
from nova_cyborg.nova.compute import hotplug

from tests.functional.nova.alternatives import choosing

# Requests of nova-compute's, in their order.
_ATTACH = (('POST', '/bind'), ('GET', 'accelerator_requests'))
_ATTACHED = ('POST', '/attached')
_DETACH = (
    ('GET', 'accelerator_requests'),
    ('POST', '/unplug'),
    ('POST', '/detached'),
)
_PLACEMENT_ATTACH = (
    ('GET', '/allocation_candidates'),
    ('GET', '/allocations/'),
    ('PUT', '/allocations/'),
)
_PLACEMENT_DETACH = _PLACEMENT_ATTACH[1:]
# What becomes of a request: it is refused, or done and not answered.
_CYBORG = (('answer', 500), ('lose', 0))
_PLACEMENT = ('fails', 'is_lost')


class Killed(BaseException):
    """What ends what nova-compute does, and nobody catches.

    No SystemExit: it would end the test as well, in green threads.
    """


class TestCase(plugging.TestCase):
    """A server that has one device context, and is to get another."""

    SLOTS = 2

    def setUp(self) -> None:
        super().setUp()
        self.ask_again_at_once()

    def boot_first(self) -> dict[str, ty.Any]:
        self.first = self.create_context()
        return self.boot(self.first)

    @contextlib.contextmanager
    def cyborg_fails(
        self, method: str, path: str, action: str, value: int, times: int
    ) -> collections.abc.Iterator[None]:
        """Have some requests to Cyborg fail."""
        self.cyborg.control(
            'fault',
            method=method,
            path=path,
            action=action,
            value=value,
            times=times,
        )
        yield
        self.assertEqual([], self.cyborg.control('faults_ahead'))
        self.cyborg.control('clear_faults')

    @contextlib.contextmanager
    def placement_fails(
        self, method: str, path: str, fault: str
    ) -> collections.abc.Iterator[None]:
        """Have the first request to Placement of a kind fail."""
        client = self.placement_fixture._client
        original = client.request
        spoilt: list[str] = []

        def request(url: str, verb: str, **kwargs: ty.Any) -> ty.Any:
            if spoilt or verb != method or not re.match(path, url):
                return original(url, verb, **kwargs)
            spoilt.append(url)
            if fault == 'fails':
                response = requests.Response()
                response.status_code = 500
                return response
            original(url, verb, **kwargs)
            raise ks_exc.ConnectFailure(f'{verb} {url}: {fault}')

        with mock.patch.object(client, 'request', request):
            yield
        self.assertEqual(1, len(spoilt))

    def assert_not_attached(self, context_id: str, why: str = ' ') -> None:
        """Check that all is as before, and that it is said why."""
        self.assertEqual('available', self.status(context_id))
        self.assertIn(why, self.get_context(context_id)['fault'] or '')
        self.assert_has(self.first)

    def assert_attaches(self, context_id: str) -> None:
        """Check that a device context can be attached, and detached."""
        self.attach(context_id)
        self.assertIsNone(self.get_context(context_id)['fault'])
        self.assert_has(self.first, context_id)
        self.detach(context_id)
        self.assert_has(self.first)


class AttachTest(TestCase):
    """A device context is attached."""

    def test_cyborg_fails_once(self) -> None:
        for method, path in (_ATTACH[0], _ATTACHED):
            for action, value in _CYBORG:
                with self.cyborg_fails(method, path, action, value, 1):
                    self.assert_attaches(self.pci)

    def test_cyborg_fails_until_it_is_undone(self) -> None:
        for context_id in (self.pci, self.mdev):
            for method, path in _ATTACH:
                for action, value in _CYBORG:
                    times = self.TRIES if method == 'POST' else 1
                    with self.cyborg_fails(method, path, action, value, times):
                        self.attach_fails(context_id)
                        self.assert_not_attached(context_id)
            self.assert_attaches(context_id)

    def test_cyborg_fails_at_the_end(self) -> None:
        for context_id in (self.pci, self.mdev):
            with self.cyborg_fails(*_ATTACHED, 'answer', 500, self.TRIES):
                self.attach_fails(context_id)
            self.assertEqual('attaching', self.status(context_id))
            self.assertEqual(2, len(self.live()))
            self.attach(context_id)
            self.assert_has(self.first, context_id)
            with self.cyborg_fails(*_ATTACHED, 'answer', 500, self.TRIES):
                self.detach(context_id)
                self.attach_fails(context_id)
            # What has begun may be taken back, too.
            self.detach(context_id)
            self.assert_has(self.first)

    def test_placement_fails(self) -> None:
        for method, path in _PLACEMENT_ATTACH:
            for fault in _PLACEMENT:
                with self.placement_fails(method, path, fault):
                    self.attach_fails(self.pci)
                self.assert_not_attached(
                    self.pci, 'Placement could not be told'
                )
        self.assert_attaches(self.pci)

    def test_placement_fails_at_the_first_alternative(self) -> None:
        """It is not asked for the others, which it would have now."""
        either = self.create_context(groups=[choosing.one_of('FPGA', 'VGPU')])
        for fault in _PLACEMENT:
            with self.placement_fails(*_PLACEMENT_ATTACH[0], fault):
                self.attach_fails(either)
            self.assert_not_attached(either, 'it does not answer, or fails')

    def test_nothing_can_be_undone(self) -> None:
        self.hotplug.refused.update(*(each.slots for each in self.devices))
        for context_id in (self.pci, self.mdev):
            with self.cyborg_fails('POST', '/unplug', 'answer', 500, 1000):
                self.attach_fails(context_id)
            self.assertEqual('attaching', self.status(context_id))
        self.hotplug.refused.clear()
        for context_id in (self.pci, self.mdev):
            self.assertEqual('attaching', self.status(context_id))
            self.attach(context_id)
        self.assert_has(self.first, self.pci, self.mdev)

    def test_a_server_that_is_left_so_is_deleted(self) -> None:
        with self.cyborg_fails(*_ATTACHED, 'answer', 500, self.TRIES):
            self.attach_fails(self.pci)
        with self.cyborg_fails(*_ATTACH[1], 'answer', 500, 1000):
            self.attach_fails(self.mdev)
        self.delete(self.server)
        self.assert_nothing_held()

    def test_the_process_dies(self) -> None:
        for method in (
            'nova_cyborg.nova.placement.allocate',
            'nova_cyborg.nova.compute.bindings.wait_for',
            'nova_cyborg.nova.compute.libvirt.driver.LibvirtDriver'
            '.plug_devices',
            'nova_cyborg.nova.compute.libvirt.driver.LibvirtDriver'
            '.describe_devices',
        ):
            for context_id in (self.pci, self.mdev):
                # As one that is killed does, it does nothing more.
                with mock.patch(method, side_effect=Killed):
                    self.post(context_id)
                    self.outcome('attach_device_context')
                self.assertEqual('attaching', self.status(context_id))
                self.assert_attaches(context_id)


class CyborgDiesTest(TestCase):
    """Cyborg is killed while its conductor and its agent are at a device.

    A mediated device is made, and removed, by the agent.
    """

    def test_while_it_is_made(self) -> None:
        for table, skip in (
            ('attach_handles', 0),
            # It is made in cyborg-api.
            ('extended_accelerator_requests', 1),
        ):
            self._kill(table, skip)
            self.post(self.mdev)
            self.outcome('attach_device_context')
            self._start()
            self.attach(self.mdev)
            self._assert_has(self.first, self.mdev)
            self.detach(self.mdev)
            self._assert_has(self.first)

    def test_while_it_is_removed(self) -> None:
        self.attach(self.mdev)
        # The ARQ is gone by then.
        self._kill('attach_handles', 0)
        self.delete_attachment(self.mdev)
        self.outcome('detach_device_context')
        self._start()
        self.assertEqual('detaching', self.status(self.mdev))
        self.detach(self.mdev)
        self._assert_has(self.first)
        self.attach(self.mdev)
        self._assert_has(self.first, self.mdev)

    def _kill(self, table: str, skip: int) -> None:
        """Kill Cyborg before a write to a table, when some have passed."""
        self.cyborg.control('refuse_writes', table=table, skip=skip, kill=True)

    def _start(self) -> None:
        self.assertTrue(self.cyborg.start())
        for host in self.COMPUTES:
            self.cyborg.control('serve_agent', host=host)

    def _assert_has(self, *context_ids: str) -> None:
        """Check it when what is left was put right by itself."""
        slots = {each.slot for each in self.live()}

        def is_right() -> bool:
            # A mediated device that nobody has is waited for, for a while.
            self.reconcile(2)
            return self.used_slots() == slots

        self.wait_for(is_right)
        self.assert_has(*context_ids)


class DetachTest(TestCase):
    """A device context is detached."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci)
        self.attach(self.mdev)

    def _detach_both(self) -> None:
        for context_id in (self.pci, self.mdev):
            self.detach(context_id)
            self.assertEqual('available', self.status(context_id))
        self.assert_has(self.first)

    def test_cyborg_fails_once(self) -> None:
        for method, path in _DETACH[1:]:
            for action, value in _CYBORG:
                with self.cyborg_fails(method, path, action, value, 1):
                    self.detach(self.pci)
                    self.assert_has(self.first, self.mdev)
                self.attach(self.pci)
        self._detach_both()

    def test_cyborg_fails(self) -> None:
        for method, path in _DETACH:
            for action, value in _CYBORG:
                times = self.TRIES if method == 'POST' else 1
                with self.cyborg_fails(method, path, action, value, times):
                    self.detach_fails(self.pci)
                if method == 'GET':
                    self.assert_has(self.first, self.pci, self.mdev)
                self.wait_for(lambda: not self.cyborg.control('under_way'))
                if self.contexts_of(self.server)[2:]:
                    self.detach(self.pci)
                self.assert_has(self.first, self.mdev)
                self.attach(self.pci)
        self._detach_both()

    def test_placement_fails(self) -> None:
        for method, path in _PLACEMENT_DETACH:
            for fault in _PLACEMENT:
                with self.placement_fails(method, path, fault):
                    self.detach_fails(self.pci)
                self.assertEqual('detaching', self.status(self.pci))
                self.detach(self.pci)
                self.assert_has(self.first, self.mdev)
                self.attach(self.pci)
        self._detach_both()

    def test_the_process_dies(self) -> None:
        for method in (
            'nova_cyborg.nova.compute.libvirt.guests.plugging.unplug_stored',
            'nova_cyborg.nova.placement.allocated',
            'nova_cyborg.nova.placement.lower',
            'nova_cyborg.cyborg_client.AllocationClient.detached',
        ):
            with mock.patch(method, side_effect=Killed):
                for context_id in (self.pci, self.mdev):
                    self.delete_attachment(context_id)
                    self.outcome('detach_device_context')
                    self.assertEqual('detaching', self.status(context_id))
            self._detach_both()
            self.attach(self.pci)
            self.attach(self.mdev)

    def test_the_server_is_moved_meanwhile(self) -> None:
        error = exception.OtherAttempt(server_id=self.server['id'])
        before = self.live()
        with mock.patch(
            'nova_cyborg.cyborg_client.AllocationClient.unplug',
            side_effect=error,
        ):
            for context_id in (self.pci, self.mdev):
                self.detach_fails(context_id)
        # What is bound is in the guest again.
        self.assertCountEqual(before, self.live())
        self.assertCountEqual(before, self.stored())
        self._detach_both()

    def test_something_else_changes_the_allocation(self) -> None:
        client = self.placement_fixture._client
        original = client.request
        changed: list[str] = []

        def request(url: str, verb: str, **kwargs: ty.Any) -> ty.Any:
            if (
                verb == 'PUT'
                and url.startswith('/allocations/')
                and len(changed) < 2
            ):
                changed.append(url)
                others = {**kwargs, 'json': None}
                now = original(url, 'GET', **others).json()
                original(url, 'PUT', **{**kwargs, 'json': now})
            return original(url, verb, **kwargs)

        with mock.patch.object(client, 'request', request):
            self.detach(self.pci)
        self.assertEqual(2, len(changed))
        self.assert_has(self.first, self.mdev)
        self.detach(self.mdev)
        self.assert_has(self.first)


class BusyTest(TestCase):
    """Something was begun with the server between request and message."""

    def test_attach(self) -> None:
        for fields in (
            {'task_state': task_states.REBOOT_PENDING},
            {'vm_state': vm_states.SUSPENDED},
            {'host': 'compute9'},
        ):
            with self._as_of_compute(**fields):
                self.assertIn('else', self.attach_fails(self.pci))
            self.assert_not_attached(self.pci)
        self.assert_attaches(self.pci)

    def test_detach(self) -> None:
        self.attach(self.pci)
        for fields in (
            {'task_state': task_states.REBOOT_PENDING},
            {'vm_state': vm_states.PAUSED},
            {'host': 'compute9'},
        ):
            with self._as_of_compute(**fields):
                self.assertIn('else', self.detach_fails(self.pci))
            self.assert_has(self.first, self.pci)
        self.detach(self.pci)
        self.assert_has(self.first)

    @contextlib.contextmanager
    def _as_of_compute(
        self, **fields: ty.Any
    ) -> collections.abc.Iterator[None]:
        """Have nova-compute find the server like this."""
        current = hotplug._current

        def changed(*args: ty.Any) -> objects.Instance:
            instance = current(*args)
            for name, value in fields.items():
                setattr(instance, name, value)
            instance.obj_reset_changes(fields)
            return instance

        with mock.patch.object(hotplug, '_current', changed):
            yield
