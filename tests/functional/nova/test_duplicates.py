# SPDX-License-Identifier: Apache-2.0

"""Messages come again when other operations have followed."""

from tests.functional.nova import messages  # isort: skip - first

import collections.abc
import typing as ty


class LateDuplicateTest(messages.TestCase):
    """A message comes again when other operations have followed."""

    def _assert_dropped(
        self,
        server: dict[str, ty.Any],
        deliver: collections.abc.Callable[[], object],
    ) -> None:
        before = self.hostdevs(server)
        deliver()
        self.assertEqual(before, self.hostdevs(server))
        self.assert_uses_all(server)
        self.assertEqual('bound', self.status(self.context))
        self.assert_in_step(audited=False)

    def test_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        deliver = self.keep_message('unshelve_instance')
        self.act(server, 'unshelve')
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        self._assert_dropped(server, deliver)

    def test_evacuate(self) -> None:
        server = self.boot(self.context)
        host = self.get_context(self.context)['host']
        self.take_down(host)
        deliver = self.keep_message('rebuild_instance')
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.bring_back(host)
        self.take_down(self.get_context(self.context)['host'])
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self._assert_dropped(server, deliver)

    def test_reschedule(self) -> None:
        self.flags(shelved_offload_time=0)
        self.fail_spawns(1)
        deliver = self.keep_message('build_instances')
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        self._assert_dropped(server, deliver)

    def test_build_after_it_was_built_on_another_host(self) -> None:
        self.fail_spawns(1)
        deliver = self.keep_message('build_and_run_instance')
        server = self.boot(self.context)
        self._assert_dropped(server, deliver)
