# SPDX-License-Identifier: Apache-2.0

"""Servers that no nova-compute builds, or deletes."""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import functools
import typing as ty

import fixtures
from nova import context, objects
from nova.compute import manager, vm_states


class LocalDeleteTest(step.OneSlotEachTestCase):
    """What a server held is there for others when it is deleted."""

    def _lose_messages(self) -> None:
        """Let nova-compute die as soon as it is to build a server."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.compute.manager.ComputeManager.build_and_run_instance',
                lambda *_args, **_kwargs: None,
            )
        )

    def _build_in_vain(self) -> dict[str, ty.Any]:
        """Boot a server whose message to nova-compute is never read."""
        self._lose_messages()
        server: dict[str, ty.Any] = self.post_server(self.context)
        self.wait_for(
            lambda: [
                call
                for call in self.nova_calls()
                if call[1].endswith(f'{server["id"]}/bind')
            ]
        )
        self.wait_for(lambda: self.used_slots())
        return server

    def test_one_that_never_got_to_a_host(self) -> None:
        server = self._build_in_vain()
        self.delete(server)
        self.assert_nothing_held()

    def test_cyborg_fails_at_first(self) -> None:
        server = self._build_in_vain()
        self.cyborg.control(
            'fault',
            method='DELETE',
            path='/v2/device_allocations/.*',
            action='answer',
            value=500,
            times=2,
        )
        self.delete(server)
        self.assert_nothing_held()

    def test_one_on_a_host_that_is_down(self) -> None:
        server = self.boot(self.context)
        found = self.admin_api.get_server(server['id'])
        host = found['OS-EXT-SRV-ATTR:host']
        self.take_down(host)
        before = len(self.nova_calls())
        self.delete(server)
        self.wait_for(lambda: not self.used_slots())
        self.assertEqual(
            [('DELETE', f'/v2/device_allocations/{server["id"]}')],
            self.nova_calls()[before:],
        )

    def test_one_without_accelerators(self) -> None:
        """Cyborg is not called."""
        before = len(self.nova_calls())
        self._lose_messages()
        server = self.post_server()
        self.delete(server)
        self.assertEqual([], self.nova_calls()[before:])


class InterruptedTest(step.OneSlotEachTestCase):
    """nova-compute is stopped before it reads what it is to build."""

    def test_the_message_comes_when_it_is_up_again(self) -> None:
        build = manager.ComputeManager.build_and_run_instance
        kept: list[collections.abc.Callable[[], object]] = []
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.compute.manager.ComputeManager.build_and_run_instance',
                lambda *args, **kwargs: kept.append(
                    functools.partial(build, *args, **kwargs)
                ),
            )
        )
        server = self.post_server(self.context)
        self.wait_for(lambda: kept)
        # As Nova does when nova-compute starts.
        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(), server['id']
        )
        instance.vm_state, instance.task_state = vm_states.ERROR, None
        instance.save()
        kept[0]()
        self.wait_for_status(server, 'ERROR')
        self.wait_for(lambda: not self.used_slots())
        self.wait_for(lambda: self.status(self.context) == 'available')
