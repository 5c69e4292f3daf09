# SPDX-License-Identifier: Apache-2.0

"""What nova-api makes of requests, before anything is begun."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty
from unittest import mock

import testtools
from nova import exception as nova_exception
from nova import objects
from nova.limit import placement as limits
from nova.tests.functional.api import client
from nova_cyborg.nova.api import gate
from nova_cyborg.nova.features import computes
from oslo_limit import exception as limit_exc
from oslo_utils import uuidutils

from tests.functional.nova import base, test_limits
from tests.functional.nova.hot import racing

_KEY = 'deviceContextAttachment'


class RequestTest(plugging.TestCase):
    """One server, and nobody who is at it."""

    def setUp(self) -> None:
        super().setUp()
        self.path = f'/servers/{self.server["id"]}/os-device-contexts'

    def _status(
        self, method: str, path: str, body: ty.Any = None, api: ty.Any = None
    ) -> int:
        """Ask for something that is refused; return the status."""
        api = api or self.api
        call = {
            'GET': lambda: api.api_get(path),
            'POST': lambda: api.api_post(path, body),
            'DELETE': lambda: api.api_delete(path),
        }[method]
        return self.refused(call)[0]

    def test_a_uuid_in_other_forms(self) -> None:
        """The server's request names it in one, and so forgets it."""
        forms = (
            self.pci.upper(),
            self.pci.replace('-', ''),
            f'{{{self.pci}}}',
            f'urn:uuid:{self.pci}',
        )
        for form in forms:
            self.attach(form)
            self.assertEqual([self.pci], self.hint())
            shown = self.api.api_get(f'{self.path}/{form}').body[_KEY]
            self.assertEqual(self.pci, shown['device_context_id'])
            self.assertEqual(409, self._status('POST', self.path, _body(form)))
            self.detach(form)
            self.assertEqual([], self.hint())
        self.assert_as_before()

    def test_what_is_wrong(self) -> None:
        for name in ('x', 'x' * 300, '%00', self.pci[:-1]):
            for method in ('GET', 'DELETE'):
                path = f'{self.path}/{name}'
                self.assertEqual(404, self._status(method, path))
            self.assertEqual(400, self._status('POST', self.path, _body(name)))
        for value in (None, 7, [self.pci], {}):
            body = _body(value)
            self.assertEqual(400, self._status('POST', self.path, body))
        for tag in (None, 7, '', 'x' * 61, 'a/b', 'a,b', 'a\n', '\0'):
            body = _body(self.pci, tag=tag)
            self.assertEqual(400, self._status('POST', self.path, body))
        for body in (
            [],
            {_KEY: None},
            {_KEY: {}},
            _body(self.pci, host='compute1'),
            {**_body(self.pci), 'more': 1},
        ):
            self.assertEqual(400, self._status('POST', self.path, body))
        self.assertEqual(400, self._status('GET', f'{self.path}?limit=1'))
        self.assert_as_before()
        self.attach(self.pci, 'x' * 60)
        self.assertEqual('x' * 60, self.get_context(self.pci)['tag'])

    def test_other_projects(self) -> None:
        theirs = self.create_context(project=base.OTHER_PROJECT)
        self.assertEqual(404, self._status('POST', self.path, _body(theirs)))
        stranger = _client_of(self, 'stranger', base.OTHER_PROJECT)
        self.attach(self.pci)
        member = f'{self.path}/{self.pci}'
        for method, path, body in (
            ('GET', self.path, None),
            ('GET', member, None),
            ('POST', self.path, _body(theirs)),
            ('DELETE', member, None),
        ):
            status = self._status(method, path, body, stranger)
            self.assertEqual(404, status)
        self.assert_has(self.pci)
        # The device context is to be of the server's project, whoever asks.
        admin = _client_of(self, 'admin', 'administrators', 'admin')
        own = self.create_context(project='administrators')
        self.assertEqual(
            404, self._status('POST', self.path, _body(own), admin)
        )
        listed = admin.api_get(self.path).body[f'{_KEY}s']
        self.assertEqual(
            [self.pci], [each['device_context_id'] for each in listed]
        )
        admin.api_delete(f'{self.path}/{self.pci}')
        self.assertEqual(
            'Success', self.outcome('detach_device_context')['result']
        )
        admin.api_post(self.path, _body(self.pci))
        self.assertEqual(
            'Success', self.outcome('attach_device_context')['result']
        )
        self.assert_has(self.pci)

    def test_a_server_that_is_locked_suspended_or_gone(self) -> None:
        self.attach(self.mdev)
        member = f'{self.path}/{self.mdev}'
        for action, status, back in (
            ('lock', 'ACTIVE', 'unlock'),
            ('suspend', 'SUSPENDED', 'resume'),
        ):
            self.do(action, status)
            body = _body(self.pci)
            self.assertEqual(409, self._status('POST', self.path, body))
            self.assertEqual(409, self._status('DELETE', member))
            self.do(back)
        self.assert_has(self.mdev)
        self.delete(self.server)
        for server_id in (self.server['id'], uuidutils.generate_uuid(), 'x'):
            path = f'/servers/{server_id}/os-device-contexts'
            self.assertEqual(404, self._status('GET', path))
            self.assertEqual(404, self._status('POST', path, _body(self.pci)))
            path += f'/{self.pci}'
            self.assertEqual(404, self._status('GET', path))
            self.assertEqual(404, self._status('DELETE', path))
        self.assert_nothing_held()

    def test_nova_compute_has_no_plugin(self) -> None:
        """It has written the record of its node without the features."""
        with mock.patch.object(computes, 'said', return_value=set()):
            self.assert_unavailable('has no plugin')
        self.assert_works()

    def test_nova_compute_is_down(self) -> None:
        self._force_down('compute1', True)
        self.assert_unavailable('is down')
        self._force_down('compute1', False)
        self.assert_works()

    def test_nova_compute_has_no_record(self) -> None:
        error = nova_exception.ComputeHostNotFound(host='compute1')
        with mock.patch.object(
            objects.Service, 'get_by_compute_host', side_effect=error
        ):
            self.assert_unavailable('is down')
        self.assert_works()

    def test_a_nova_conductor_has_no_plugin(self) -> None:
        with mock.patch.object(
            gate.CONDUCTORS, 'unable', return_value=['controller9']
        ):
            self.assert_unavailable('not all nova-conductors')
        self.assert_works()

    def assert_unavailable(self, reason: str) -> None:
        """Check that nothing is begun, and that it is said why."""
        for call in (self.post, self.delete_attachment):
            status, why = self.refused(call, self.pci)
            self.assertEqual(409, status)
            self.assertIn(reason, why)
            self.assertIn('Ask the administrator', why)
        self.assert_as_before()

    def assert_works(self) -> None:
        """Check that a device context can be attached, and detached."""
        self.attach(self.pci)
        self.detach(self.pci)


def _client_of(
    test: plugging.TestCase, user: str, project: str, *roles: str
) -> client.TestOpenStackClient:
    """Return the client of somebody of another project."""
    made = client.TestOpenStackClient(
        user,
        test.api.base_url.replace(test.api.project_id, project),
        project,
        roles=['member', 'reader', *roles],
    )
    made.microversion = test.api.microversion
    return made


class HolderTest(plugging.TestCase):
    """The device context is another server's."""

    def test_one_that_was_not_released_with_its_server(self) -> None:
        holder = self.boot(self.pci)
        path = f'/servers/{self.server["id"]}/os-device-contexts'
        body = _body(self.pci)
        status, text = self.refused(lambda: self.api.api_post(path, body))
        self.assertEqual(409, status)
        in_use = f'in use by server {holder["id"]}'
        self.assertIn(in_use, text)
        # To an administrator it is as much, in whatever project.
        admin = _client_of(self, 'admin', 'administrators', 'admin')
        status, text = self.refused(lambda: admin.api_post(path, body))
        self.assertEqual(409, status)
        self.assertIn(in_use, text)
        self.cyborg.control(
            'fault',
            method='DELETE',
            path='device_allocations',
            action='answer',
            value=500,
        )
        self.delete(holder)
        found = self.get_context(self.pci)
        self.assertEqual(holder['id'], found['server_id'])
        self.cyborg.control('clear_faults')

        self.attach(self.pci)

        self.assert_has(self.pci)


@testtools.skipUnless(test_limits.COUNTS, test_limits.SINCE)
class UnifiedLimitsTest(plugging.TestCase):
    """Keystone limits a project to one FPGA."""

    SLOTS = 2

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(test_limits.Limits(self.flags, FPGA=1))

    def test_what_is_attached_is_counted(self) -> None:
        other = self.create_context()
        for context_id in (self.pci, other):
            self.attach(context_id)
            (refused,) = {self.pci, other} - {context_id}
            status, why = self.refused(self.post, refused)
            self.assertEqual(403, status)
            self.assertIn('class:FPGA', why)
            self.assertEqual('available', self.status(refused))
            self.assert_has(context_id)
            self.detach(context_id)
        self.assert_as_before()

    def test_limits_cannot_be_read(self) -> None:
        error = limit_exc.SessionInitError('https://secret.keystone')
        with mock.patch.object(limits, '_get_enforcer', side_effect=error):
            status, why = self.refused(self.post, self.pci)
        self.assertEqual(503, status)
        self.assertIn('nova.conf', why)
        self.assertNotIn('secret', why)
        shown = self.get_context(self.pci)
        self.assertEqual('available', shown['status'])
        self.assertNotIn('secret', shown['fault'])
        self.assert_as_before()

    def test_what_was_begun_is_not_counted_twice(self) -> None:
        with mock.patch(f'{racing.DRIVER}.plug_devices', side_effect=Killed):
            self.post(self.pci)
            self.outcome('attach_device_context')
        self.assertEqual('attaching', self.status(self.pci))
        self.attach(self.pci)
        self.assert_has(self.pci)


class Killed(BaseException):
    """Ends what a nova-compute does, as if it were killed."""


def _body(context_id: ty.Any, **more: ty.Any) -> dict[str, ty.Any]:
    return {_KEY: {'device_context_id': context_id, **more}}
