# SPDX-License-Identifier: Apache-2.0

"""What is refused: at once by nova-api, and else by nova-conductor.

Of what nova-api refuses, nothing is stored anywhere. Beside a nova-api without
the plugin nova-conductor refuses it in the same words, and nothing of it stays
reserved.
"""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

import fixtures
from nova import context as nova_context
from nova import exception
from nova.compute import utils as compute_utils
from nova.db.api import api as api_db
from nova.db.api import models as api_models
from nova.db.main import api as main_db
from nova.db.main import models as main_models
from nova.tests.functional.api import client
from oslo_utils import uuidutils

_CHECK = ('POST', '/v2/device_allocations/check')
_API_TABLES = (
    api_models.BuildRequest,
    api_models.InstanceMapping,
    api_models.RequestSpec,
)
_TWO_SERVERS: tuple[dict[str, ty.Any], ...] = (
    {'min_count': 2},
    {'max_count': 2},
    {'max_count': '2'},
)


def _stored() -> list[int]:
    """Count what Nova stores when it is asked for a server."""
    context = nova_context.get_admin_context()
    with api_db.context_manager.reader.using(context) as session:
        counts = [session.query(table).count() for table in _API_TABLES]
    with main_db.get_context_manager(context).reader.using(context) as session:
        return [*counts, session.query(main_models.Instance).count()]


class TestCase(base.TestCase):
    """One compute node, with devices enough."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=16)

    def refused(
        self, status: int, *context_ids: ty.Any, **fields: ty.Any
    ) -> str:
        """Ask for a server that is refused at once; return the sentence."""
        before = self._everything()
        error = self.assertRaises(
            client.OpenStackApiException,
            self.post_server,
            *context_ids,
            **fields,
        )
        self.assertEqual(status, error.response.status_code, str(error))
        self.assertEqual(before, self._everything())
        (fault,) = error.response.json().values()
        self.assertEqual(status, fault['code'])
        return str(fault['message'])

    def _everything(self) -> tuple[list[int], ty.Any]:
        """Count what Nova stores, and read what Cyborg does."""
        rows = self.cyborg.control('rows', table='device_allocations')
        return _stored(), rows


class HintTest(TestCase):
    """Hints that cannot work."""

    def _assert_refused_by_both(
        self, status: int, sentence: str, *hint: ty.Any, **fields: ty.Any
    ) -> None:
        """Check that nova-conductor refuses in nova-api's words."""
        self.assertIn(sentence, told := self.refused(status, *hint, **fields))
        with self.without_api_plugin():
            fault = self.boot_fails(*hint, **fields)
        self.assertEqual(told, fault)

    def test_cyborg_need_not_be_asked(self) -> None:
        context = self.create_context()
        for hint in ('', f'{context},', f',{context}'):
            sentence = self.refused(400, hint)
            self.assertIn('Put one comma between two UUIDs', sentence)
        sentence = self.refused(400, hint=[])
        self.assertIn('names no device context. Name one', sentence)
        for hint in ('../../v2/devices', None, 7, {}, ['a']):
            sentence = self.refused(404, hint)
            self.assertIn(f'Device context {hint} was not found', sentence)
        for fields in _TWO_SERVERS:
            sentence = self.refused(400, context, **fields)
            self.assertIn(f'{context} cannot be given to 2 servers', sentence)
        not_found = 'Device context my-fpga was not found'
        self.assertIn(not_found, self.refused(404, hint='my-fpga'))
        volume = {
            'boot_index': 0,
            'uuid': uuidutils.generate_uuid(),
            'source_type': 'volume',
            'destination_type': 'volume',
        }
        sentence = self.refused(
            404, 'my-fpga', imageRef='', block_device_mapping_v2=[volume]
        )
        self.assertIn(not_found, sentence)
        # More than anybody may use.
        unknown = [uuidutils.generate_uuid() for _ in range(65)]
        sentence = self.refused(400, *unknown)
        self.assertIn('have 65 request groups together; at most 8', sentence)
        self.assertEqual([], self.nova_calls())

        self._assert_refused_by_both(404, not_found, 'my-fpga')
        self._assert_refused_by_both(
            400,
            f'{context} is named more than once',
            context,
            context.upper(),
        )
        self._assert_refused_by_both(
            400, f'{context} cannot be given to 2 servers', context, count=2
        )
        for server in self.api.get_servers():
            self.assertEqual('ERROR', server['status'])
        self.assertNotIn(_CHECK, self.nova_calls())
        self.assert_available(context)

    def test_cyborg_is_asked_once(self) -> None:
        unknown, known = uuidutils.generate_uuid(), self.create_context()
        sentence = self.refused(404, known, unknown)
        self.assertEqual(
            f'Device context {unknown} was not found in the project. List '
            'the ones there are with "openstack accelerator device context '
            'list".',
            sentence,
        )
        self.assertEqual([_CHECK], self.nova_calls())

        self._assert_refused_by_both(404, sentence, known, unknown)
        theirs = self.create_context(project=base.OTHER_PROJECT)
        self._assert_refused_by_both(
            404, f'Device context {theirs} was not found', theirs
        )
        self.assert_available(known)

    def test_too_many_groups(self) -> None:
        contexts = [self.create_context() for _ in range(7)]
        groups = [{'resources': {'FPGA': 1}}] * 2
        contexts.append(self.create_context(groups=groups))
        self._assert_refused_by_both(
            400, 'have 9 request groups together; at most 8', *contexts
        )
        self.assert_available(*contexts)
        self.flags(max_groups_per_server=9, group='nova_cyborg')
        self.boot(*contexts)

    def test_too_many_accelerators(self) -> None:
        contexts = [
            self.create_context(resources={'FPGA': amount})
            for amount in (2, 3)
        ]
        self.flags(max_accelerators_per_server=4, group='nova_cyborg')
        self._assert_refused_by_both(
            400, 'have 5 accelerators together; at most 4', *contexts
        )
        self.assert_available(*contexts)
        self.flags(max_accelerators_per_server=5, group='nova_cyborg')
        self.boot(*contexts)

    def test_a_class_that_no_accelerator_has(self) -> None:
        license_ = self.create_context(resources={'LICENSE': 1})
        fpga = self.create_context()
        self.cyborg.control('allow_classes', names=['FPGA'])
        self._assert_refused_by_both(
            400,
            f'Device context {license_} asks for CUSTOM_LICENSE, which no '
            'accelerator of this cloud has',
            fpga,
            license_,
        )
        self.assert_available(fpga, license_)
        self.boot(fpga)

    def test_hints_of_other_shapes(self) -> None:
        context = self.create_context()
        server = self.boot(hint=context.upper())
        self.assertEqual(
            [context], [c['uuid'] for c in self.contexts_of(server)]
        )
        others = [self.create_context() for _ in range(2)]
        server = self.boot(hint=', '.join(others))
        self.assertCountEqual(
            others, [c['uuid'] for c in self.contexts_of(server)]
        )
        body = {
            'server': self._build_server(networks='none'),
            # The hints' older name.
            'OS-SCH-HNT:scheduler_hints': {'device_context_id': 'my-fpga'},
        }
        error = self.assertRaises(
            client.OpenStackApiException, self.api.post_server, body
        )
        self.assertEqual(404, error.response.status_code)
        self.assertIn('Device context my-fpga', error.response.text)

    def test_a_context_held_by_another_server(self) -> None:
        held, free = self.create_context(), self.create_context()
        holder = self.boot(held)
        in_use = f'Device context {held} is in use by server {holder["id"]}.'
        self._assert_refused_by_both(409, in_use, free, held)
        self.assertEqual('available', self.status(free))
        self.assertEqual('bound', self.status(held))
        self.assertEqual(1, len(self.hostdevs(holder)))

        # One that has failed later holds it still.
        self.admin_api.post_server_action(
            holder['id'], {'os-resetState': {'state': 'error'}}
        )
        self.assertIn(in_use, self.refused(409, held))


class HolderIsGoneTest(TestCase):
    """What was not released with its server can be had all the same."""

    def setUp(self) -> None:
        super().setUp()
        self.context = self.create_context()

    def _refuse_deletions(self, path: str) -> None:
        self.cyborg.control(
            'fault', method='DELETE', path=path, action='answer', value=500
        )

    def _assert_had(self, holder: dict[str, ty.Any]) -> None:
        """Check that it is held for a server, and another can have it."""
        found = self.get_context(self.context)
        self.assertEqual(holder['id'], found['server_id'])
        self.cyborg.control('clear_faults')
        server = self.boot(self.context)
        found = self.get_context(self.context)
        self.assertEqual(server['id'], found['server_id'])

    def test_deleted(self) -> None:
        holder = self.boot(self.context)
        self._refuse_deletions('device_allocations')
        self.delete(holder)
        self._assert_had(holder)

    def test_never_built(self) -> None:
        impossible = self.create_context(required=['NONE'])
        self._refuse_deletions('device_allocations')
        holder = self.post_server(self.context, impossible)
        self.assertIn('No valid host', self.fault_of(holder))
        self._assert_had(holder)


class CyborgTest(TestCase):
    """A Cyborg that cannot be used: whoever asks it says why."""

    def setUp(self) -> None:
        super().setUp()
        self.context = self.create_context()

    def _fault(
        self, method: str, path: str, action: str, value: float = 0
    ) -> None:
        self.cyborg.control(
            'fault', method=method, path=path, action=action, value=value
        )

    def _mend(self) -> None:
        self.cyborg.control('start')
        self.cyborg.control('clear_faults')
        self.cyborg.control('serve', stock=False)
        self.flags(send_service_user_token=True, group='service_user')
        self.assert_available(self.context)

    def _assert_refused(self, status: int, *sentences: str) -> None:
        """Check what nova-api says; let all be well again."""
        found = self.refused(status, self.context)
        for sentence in sentences:
            self.assertIn(sentence, found)
        self._mend()

    def _assert_fails(self, *sentences: str) -> None:
        """Check what nova-conductor says; let all be well again."""
        with self.without_api_plugin():
            fault = self.boot_fails(self.context)
        for sentence in sentences:
            self.assertIn(sentence, fault)
        self._mend()

    def test_nova_api_says_so(self) -> None:
        self.cyborg.control('serve', stock=True)
        self._assert_refused(
            501,
            'does not serve device contexts',
            'Operators: ',
        )
        self.cyborg.control('stop')
        self._assert_refused(
            503,
            'which has the device contexts, did not answer',
            'the connection failed',
        )
        self.flags(send_service_user_token=False, group='service_user')
        self._assert_refused(403, 'send_service_user_token')
        for fault, status, *sentences in (
            (('answer', 503), 503, 'did not answer', 'HTTP status 503'),
            (('drop',), 503, 'did not answer'),
            (('answer', 500), 502, 'failed with HTTP status 500'),
            (('answer', 200), 502, 'its answer cannot be understood'),
        ):
            self._fault('POST', 'check$', *fault)
            self._assert_refused(status, *sentences)
        self.flags(timeout=1, group='cyborg')
        self._fault('POST', 'check$', 'late', 3)
        self._assert_refused(503, 'did not answer', 'timed out')

    def test_nova_conductor_says_so(self) -> None:
        self.ask_again_at_once()
        self.cyborg.control('serve', stock=True)
        self._assert_fails('does not serve device contexts', 'Operators: ')
        self.cyborg.control('stop')
        self._assert_fails('did not answer', 'the connection failed')
        self.flags(send_service_user_token=False, group='service_user')
        self._assert_fails('send_service_user_token')
        reserve = ('PUT', '/device_allocations/[^/]+$')
        self._fault(*reserve, 'answer', 503)
        self._assert_fails('did not answer', 'HTTP status 503')
        bind = ('POST', '/bind$')
        self._fault(*bind, 'answer', 500)
        self._assert_fails('failed with HTTP status 500')
        # What Cyborg has done, or may have done, is released and unbound
        # without the audit.
        for request in (reserve, bind):
            for action in ('drop', 'lose'):
                self._fault(*request, action)
                self._assert_fails('did not answer')


class QuotaTest(TestCase):
    """Nova's own quota is full when nova-conductor looks again."""

    def test_nothing_stays_reserved(self) -> None:
        check = compute_utils.check_num_instances_quota

        def recheck(
            context: ty.Any, flavor: ty.Any, *counts: int, **others: ty.Any
        ) -> ty.Any:
            # Only the conductor's second check asks for none.
            if counts == (0, 0):
                raise exception.TooManyInstances(
                    overs='instances', req=1, used=10, allowed=10
                )
            return check(context, flavor, *counts, **others)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{compute_utils.__name__}.check_num_instances_quota', recheck
            )
        )
        context = self.create_context()
        self.assertIn('Quota exceeded', self.boot_fails(context))
        self.assert_available(context)
