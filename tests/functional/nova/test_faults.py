# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A fault at each step of an operation leaves all in step.

The faults are made at the edge: the network, the message bus, the database.
After each, by itself or by one run of the audit, nothing is lost, held by
nobody or given twice, and what was tried works when it is tried again.
"""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import typing as ty

from tests.functional.nova import edge

_SECONDS = 2
_ALLOCATION = r'/device_allocations/[^/]+$'
_BEGIN = '/begin$'
_BIND = '/bind$'
_ARQS = '/accelerator_requests$'

_HTTP_FAULTS: dict[str, dict[str, ty.Any]] = {
    'fails': {'action': 'answer', 'value': 500},
    'is_unavailable': {'action': 'answer', 'value': 503},
    'is_garbled': {'action': 'garble'},
    'is_dropped': {'action': 'drop'},
    'is_lost': {'action': 'lose'},
    'is_answered_late': {'action': 'late', 'value': _SECONDS + 1},
    'arrives_late': {'action': 'delay', 'value': _SECONDS + 1},
}


def with_faults(
    **steps: tuple[str, str],
) -> collections.abc.Callable[[type], type]:
    """Give a class a test for each fault of each step.

    :param steps: method and path of the request, by name of the step.
    """

    def decorate(cls: type) -> type:
        for name, (method, path) in steps.items():
            for fault, fields in _HTTP_FAULTS.items():

                def test(
                    self: ty.Any,
                    method: str = method,
                    path: str = path,
                    fields: dict[str, ty.Any] = fields,
                ) -> None:
                    self.check(method=method, path=path, **fields)

                setattr(cls, f'test_{name}_{fault}', test)
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
        self.flags(timeout=_SECONDS, group='cyborg')
        # nova-compute waits in vain for what was not begun.
        self.flags(arq_binding_timeout=2 * _SECONDS)
        self.context = self.create_context(delete_on_termination=False)

    def settle(self, server: dict[str, ty.Any]) -> str:
        """Wait until nothing is being done; return the server's status."""

        def settled() -> str | None:
            found = self.admin_api.get_server(server['id'])
            done = found['OS-EXT-STS:task_state'] is None
            final = found['status'] in self.FINAL
            return found['status'] if done and final else None

        return self.wait_for(settled)

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault once."""
        self.cyborg.control('fault', **fields, times=1)

    def heal(self) -> None:
        """Let what is on its way arrive, and make no more faults."""
        self.cyborg.control('clear_faults')
        self.wait_for(lambda: not self.cyborg.control('under_way'))
        self.wait_for(lambda: not self.nova_edge.under_way)

    def assert_boots(self) -> None:
        """Check that a new server can have the device context."""
        server = self.boot(self.context)
        self.assert_hostdevs(server, self.used_slots())
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)


@with_faults(
    reserve=('PUT', _ALLOCATION),
    bind=('POST', _BIND),
    read=('GET', _ARQS),
)
class BootTest(TestCase):
    """Faults while a server is booted."""

    def check(self, **fault: ty.Any) -> None:
        self.fault(**fault)
        server = self.post_server(self.context)
        status = self.settle(server)
        self.heal()
        self.assert_in_step()
        if status == 'ERROR':
            self.assertTrue(self.fault_of(server))
            self.assertEqual('available', self.status(self.context))
            # While the server in error is still there.
            self.assert_boots()
        else:
            self.assert_hostdevs(server, self.used_slots())
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)


@with_faults(free=('DELETE', _ARQS))
class DeleteTest(TestCase):
    """Faults between Nova and Cyborg while a server is deleted."""

    def check(self, **fault: ty.Any) -> None:
        server = self.boot(self.context)
        self.fault(**fault)
        self.delete(server)
        self.heal()
        self.assert_in_step()
        self.assertEqual('available', self.status(self.context))
        self.assert_boots()


@with_faults(ask=('GET', '/servers/'))
class DeleteIsNotConfirmedTest(TestCase):
    """Faults between Cyborg and Nova while a server is deleted."""

    def check(self, **fault: ty.Any) -> None:
        server = self.boot(self.context)
        self.nova_edge.faults.append(edge.Fault(**fault, times=1))
        self.delete(server)
        self.heal()
        self.assert_in_step()
        self.assertEqual('available', self.status(self.context))
        self.assert_boots()


@with_faults(free=('DELETE', _ARQS))
class OffloadTest(TestCase):
    """Faults while a server is shelved and offloaded."""

    def check(self, **fault: ty.Any) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.fault(**fault)
        self.api.post_server_action(server['id'], {'shelve': None})
        status = self.settle(server)
        self.heal()
        self.assert_in_step()
        self.assertEqual('SHELVED_OFFLOADED', status)
        self.assertEqual('reserved', self.status(self.context))
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step()
        self.assert_boots()


@with_faults(begin=('POST', _BEGIN), bind=('POST', _BIND), read=('GET', _ARQS))
class UnshelveTest(TestCase):
    """Faults while a server is unshelved."""

    def check(self, **fault: ty.Any) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.fault(**fault)
        self.api.post_server_action(server['id'], {'unshelve': None})
        status = self.settle(server)
        self.heal()
        self.assert_in_step()
        if status != 'ACTIVE':
            self.assertEqual('SHELVED_OFFLOADED', status)
            self.assertEqual('reserved', self.status(self.context))
            self.act(server, 'unshelve')
        self.assert_hostdevs(server, self.used_slots())
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)


@with_faults(
    begin=('POST', _BEGIN),
    free=('DELETE', _ARQS),
    bind=('POST', _BIND),
    read=('GET', _ARQS),
)
class EvacuateTest(TestCase):
    """Faults while a server is evacuated."""

    def check(self, **fault: ty.Any) -> None:
        server = self.boot(self.context)
        self.take_down(self.get_context(self.context)['host'])
        self.fault(**fault)
        self._evacuate(server)
        status = self.settle(server)
        self.heal()
        self.assert_in_step()
        if status == 'ERROR':
            self._evacuate(server)
            # From ERROR, Nova starts it.
            self.wait_for_status(server, 'ACTIVE')
        self.assert_hostdevs(server, self.used_slots())
        for host in set(self._down):
            self.bring_back(host)
        self.assert_in_step(audited=False)
        self.delete(server)
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)

    def _evacuate(self, server: dict[str, ty.Any]) -> None:
        self.admin_api.post_server_action(server['id'], {'evacuate': {}})


class DatabaseTest(TestCase):
    """The database refuses a write."""

    TABLES = (
        'device_allocations',
        'device_contexts',
        'device_context_arqs',
        'device_profiles',
        'extended_accelerator_requests',
        'attach_handles',
    )

    def test_boot(self) -> None:
        for table in self.TABLES:
            self.cyborg.control('refuse_writes', table=table)
            server = self.post_server(self.context)
            self.settle(server)
            self.heal()
            self.assert_in_step()
            self.delete(server)
            self.wait_for(lambda: self.status(self.context) == 'available')
            self.assert_boots()

    def test_delete(self) -> None:
        for table in self.TABLES:
            server = self.boot(self.context)
            self.cyborg.control('refuse_writes', table=table)
            self.delete(server)
            self.heal()
            self.assert_in_step()
            self.assertEqual('available', self.status(self.context))
