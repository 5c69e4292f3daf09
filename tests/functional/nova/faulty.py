# SPDX-License-Identifier: Apache-2.0

"""Each operation of a server with a fault in it, whatever the fault is.

The faults are made at the edge: the network, the message bus, the database,
the hypervisor. After each, by itself or by one run of the audit, nothing is
lost, held by nobody or given twice, and what was tried works when it is tried
again.
"""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import contextlib
import functools
import pkgutil
import typing as ty

import fixtures
import requests

SECONDS = 2
PATIENCE = 30
STUCK = 'STUCK'
Fault = collections.abc.Callable[[], object]


def tested_with(
    method: str,
    faults: collections.abc.Mapping[str, collections.abc.Mapping[str, ty.Any]],
) -> collections.abc.Callable[[type], type]:
    """Give a class that checks an operation a test for each fault.

    :param method: name of the class's method that makes a fault.
    :param faults: its arguments, by name of the fault.
    """

    def decorate(cls: type) -> type:
        for name, arguments in faults.items():

            def test(
                self: ty.Any,
                arguments: collections.abc.Mapping[str, ty.Any] = arguments,
            ) -> None:
                make_fault = getattr(self, method)
                self.check(functools.partial(make_fault, **arguments))

            setattr(cls, f'test_{name}', test)
        return cls

    return decorate


class TestCase(step.TestCase):
    """Two compute nodes that could have the server each."""

    HOSTS = ('compute1', 'compute2')
    FINAL = ('ACTIVE', 'SHUTOFF', 'ERROR', 'SHELVED', 'SHELVED_OFFLOADED')

    def setUp(self) -> None:
        super().setUp()
        for host in self.HOSTS:
            self.add_device(host, slots=1)
        self._limit(PATIENCE)
        # nova-compute waits in vain for what was not begun.
        self.flags(arq_binding_timeout=2 * SECONDS)
        # However a test ends, the next one needs Cyborg.
        self.addCleanup(self.cyborg.start)
        self.context = self.create_context(delete_on_termination=False)

    def _limit(self, seconds: int) -> None:
        """Have Nova wait so long for an answer of Cyborg's."""
        self.flags(timeout=seconds, group='cyborg')

    def boot(self, *context_ids: str, **fields: ty.Any) -> dict[str, ty.Any]:
        """Boot without a fault, as slowly as a busy machine may."""
        self.flags(arq_binding_timeout=PATIENCE)
        try:
            return super().boot(*context_ids, **fields)
        finally:
            self.flags(arq_binding_timeout=2 * SECONDS)

    def wait_until_idle(self, server: dict[str, ty.Any]) -> str:
        """Wait until nothing is being done; return the server's status.

        Some faults of Nova's own have a server stuck in what is being done:
        a test that makes them returns ``STUCK``, and it is only deleted.
        """

        def last_status() -> str | None:
            found = self.admin_api.get_server(server['id'])
            done = found['OS-EXT-STS:task_state'] is None
            final = found['status'] in self.FINAL
            return found['status'] if done and final else None

        return self.wait_for(last_status)

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault between Nova and Cyborg once."""
        self.limit_if_late(**fields)
        self.cyborg.control('fault', **fields, times=1)

    def limit_if_late(self, **fields: ty.Any) -> None:
        """Have Nova lose patience, if that is what the fault is about.

        With others it has enough, as a busy machine may be slow.
        """
        if fields['action'] in ('late', 'delay'):
            self._limit(SECONDS)

    def fail_once(self, method: str, error: Exception) -> None:
        """Have a stand-in for one of Nova's partners raise an error once.

        :param method: module, class and name of its method.
        """
        original = pkgutil.resolve_name(method)
        errors = [error]

        def fail(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            if errors:
                raise errors.pop()
            return original(*args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(method, fail))

    def heal(self) -> None:
        """Wait until the fault is met; let all be well from now on.

        What is on its way arrives before this returns.
        """
        self.wait_for(self._is_met)
        self.cyborg.control('clear_faults')
        self._limit(PATIENCE)
        self.assertTrue(all(fault.met for fault in self.nova_edge.faults))
        self.wait_for(lambda: not self.cyborg.control('under_way'))
        self.wait_for(lambda: not self.nova_edge.under_way)

    def _is_met(self) -> bool:
        if self.cyborg.start():
            # It was killed.
            return True
        with contextlib.suppress(requests.ConnectionError):
            return not self.cyborg.control('faults_ahead')
        return False

    def assert_boots(self) -> None:
        """Check that a new server can have the device context."""
        server = self.boot(self.context)
        self.assert_uses_all(server)
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)

    def assert_deletes(self, server: dict[str, ty.Any]) -> None:
        """Check that nothing is left of a server that is deleted."""
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)

    def assert_gets_rid(self, server: dict[str, ty.Any]) -> None:
        """Check that one can get rid of a server that is stuck."""
        self.delete(server)
        # Nova forgets one that is on no host without a word to Cyborg.
        self.assert_in_step()
        self.assertEqual('available', self.status(self.context))
        self.assert_boots()


class Boot(TestCase):
    """A server is booted."""

    def check(self, make_fault: Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        make_fault()
        server = self.post_server(self.context)
        status = self.wait_until_idle(server)
        self.heal()
        if status == STUCK:
            self.assert_gets_rid(server)
            return
        self.assert_in_step()
        if status == 'ERROR':
            self.assertTrue(self.fault_of(server))
            self.assertEqual('available', self.status(self.context))
            # While the server in error is still there.
            self.assert_boots()
        else:
            self.assert_uses_all(server)
        self.assert_deletes(server)


class Delete(TestCase):
    """A server is deleted."""

    def check(self, make_fault: Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        server = self.boot(self.context)
        make_fault()
        self.delete(server)
        self.heal()
        self.assert_in_step()
        self.assertEqual('available', self.status(self.context))
        self.assert_boots()


class Offload(TestCase):
    """A server is shelved and offloaded."""

    def check(self, make_fault: Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        make_fault()
        self.api.post_server_action(server['id'], {'shelve': None})
        status = self.wait_until_idle(server)
        self.heal()
        self.assert_in_step()
        self.assertEqual('SHELVED_OFFLOADED', status)
        self.assertEqual('reserved', self.status(self.context))
        self.assert_deletes(server)
        self.assert_boots()


class Unshelve(TestCase):
    """A server is unshelved."""

    def check(self, make_fault: Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        # What nova-compute writes last.
        self.wait_for(lambda: self._host(server) is None)
        make_fault()
        self.api.post_server_action(server['id'], {'unshelve': None})
        status = self.wait_until_idle(server)
        self.heal()
        if status == STUCK:
            self.assert_gets_rid(server)
            return
        self.assert_in_step()
        if status != 'ACTIVE':
            self.assertEqual('SHELVED_OFFLOADED', status)
            self.assertEqual('reserved', self.status(self.context))
            self.act(server, 'unshelve')
        self.assert_uses_all(server)
        self.assert_deletes(server)

    def _host(self, server: dict[str, ty.Any]) -> str | None:
        found = self.admin_api.get_server(server['id'])
        return found['OS-EXT-SRV-ATTR:host']


class Evacuate(TestCase):
    """A server is evacuated."""

    def check(self, make_fault: Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        server = self.boot(self.context)
        self.take_down(self.get_context(self.context)['host'])
        before = self.used_slots()
        make_fault()
        self._evacuate(server)
        status = self.wait_until_idle(server)
        self.heal()
        self.assert_in_step()
        if status == 'ERROR':
            # Its guest on the old host may still use them.
            self.assertEqual(before, self.used_slots())
            self.assertEqual('bound', self.status(self.context))
            self._evacuate(server)
            # From ERROR, Nova starts it.
            self.wait_for_status(server, 'ACTIVE')
        self.assert_uses_all(server)
        for host in set(self._down):
            self.bring_back(host)
        self.assert_in_step(audited=False)
        self.assert_deletes(server)

    def _evacuate(self, server: dict[str, ty.Any]) -> None:
        self.admin_api.post_server_action(server['id'], {'evacuate': {}})
