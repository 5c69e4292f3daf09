# SPDX-License-Identifier: Apache-2.0

"""What nova-api refuses at once: nothing of it is stored anywhere."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

import testtools
from nova import context as nova_context
from nova.compute import api
from nova.db.api import api as api_db
from nova.db.api import models as api_models
from nova.db.main import api as main_db
from nova.db.main import models as main_models
from nova.tests.functional.api import client
from oslo_limit import fixture as limit_fixture
from oslo_utils import uuidutils

# The method that does it.
_COUNTS = hasattr(api.API, '_enforce_create_unified_limits')
_SINCE = 'Nova counts accelerators in unified limits since 2026.2'
_CHECK = ('POST', '/v2/device_allocations/check')
_API_TABLES = (
    api_models.BuildRequest,
    api_models.InstanceMapping,
    api_models.RequestSpec,
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
        """Ask for a server that is refused; return the sentence."""
        before = (
            _stored(),
            self.cyborg.control('rows', table='device_allocations'),
        )
        error = self.assertRaises(
            client.OpenStackApiException,
            self.post_server,
            *context_ids,
            **fields,
        )
        self.assertEqual(status, error.response.status_code, str(error))
        after = (
            _stored(),
            self.cyborg.control('rows', table='device_allocations'),
        )
        self.assertEqual(before, after)
        (fault,) = error.response.json().values()
        self.assertEqual(status, fault['code'])
        return str(fault['message'])


class HintTest(TestCase):
    """Hints that cannot work."""

    def test_unknown_context(self) -> None:
        unknown, known = uuidutils.generate_uuid(), self.create_context()
        sentence = self.refused(404, known, unknown)
        self.assertEqual(
            f'Device context {unknown} was not found in the project. List '
            'the ones there are with "openstack accelerator device context '
            'list".',
            sentence,
        )
        self.assert_available(known)

    def test_malformed_context(self) -> None:
        for hint in ('my-fpga', '', '../../v2/devices', None, 7, {}, ['a']):
            sentence = self.refused(404, hint)
            self.assertIn(f'Device context {hint} was not found', sentence)
        self.assertEqual([], self.nova_calls())

    def test_a_hint_that_is_no_list(self) -> None:
        context = self.create_context()
        server = self.boot(hint=context.upper())
        self.assertEqual(
            [context], [c['uuid'] for c in self.contexts_of(server)]
        )
        sentence = self.refused(404, hint='my-fpga')
        self.assertIn('Device context my-fpga was not found', sentence)

    def test_a_hint_without_a_context(self) -> None:
        self.boot(hint=[])
        self.assertEqual([], self.nova_calls())

    def test_context_of_another_project(self) -> None:
        context = self.create_context(project=base.OTHER_PROJECT)
        sentence = self.refused(404, context)
        self.assertIn(f'Device context {context} was not found', sentence)
        self.assert_nothing_held()

    def test_context_held_by_another_server(self) -> None:
        held, free = self.create_context(), self.create_context()
        holder = self.boot(held)
        sentence = self.refused(409, free, held)
        self.assertIn(
            f'Device context {held} is in use by server {holder["id"]}.',
            sentence,
        )
        self.assertEqual('available', self.status(free))
        self.assertEqual('bound', self.status(held))
        self.assertEqual(1, len(self.hostdevs(holder)))

    def test_context_held_by_a_server_that_is_gone(self) -> None:
        context = self.create_context()
        holder = self.boot(context)
        self.cyborg.control(
            'fault',
            method='DELETE',
            path='accelerator_requests',
            action='answer',
            value=500,
        )
        self.delete(holder)
        self.assertEqual(holder['id'], self.get_context(context)['server_id'])
        self.cyborg.control('clear_faults')
        server = self.boot(context)
        self.assertEqual(server['id'], self.get_context(context)['server_id'])

    def test_context_held_by_a_server_that_was_never_built(self) -> None:
        context = self.create_context()
        impossible = self.create_context(required=['NONE'])
        self.cyborg.control(
            'fault',
            method='DELETE',
            path='device_allocations',
            action='answer',
            value=500,
        )
        failed = self.post_server(context, impossible)
        self.assertIn('No valid host', self.fault_of(failed))
        self.assertEqual(failed['id'], self.get_context(context)['server_id'])
        self.cyborg.control('clear_faults')
        server = self.boot(context)
        self.assertEqual(server['id'], self.get_context(context)['server_id'])

    def test_context_held_by_a_server_that_fails_later(self) -> None:
        context = self.create_context()
        holder = self.boot(context)
        self.admin_api.post_server_action(
            holder['id'], {'os-resetState': {'state': 'error'}}
        )
        self.assertIn(holder['id'], self.refused(409, context))

    def test_same_context_twice(self) -> None:
        context = self.create_context()
        sentence = self.refused(400, context, context.upper())
        self.assertIn(f'{context} is named more than once', sentence)
        self.assert_available(context)
        self.assertEqual([], self.nova_calls())

    def test_two_servers_at_once(self) -> None:
        context = self.create_context()
        for counts in ({'min_count': 2}, {'max_count': 2}, {'max_count': '2'}):
            sentence = self.refused(400, context, **counts)
            self.assertIn(f'{context} cannot be given to 2 servers', sentence)
        self.assert_available(context)
        self.assertEqual([], self.nova_calls())

    def test_too_many_groups(self) -> None:
        contexts = [self.create_context() for _ in range(7)]
        groups = [{'resources': {'FPGA': 1}}] * 2
        contexts.append(self.create_context(groups=groups))
        sentence = self.refused(400, *contexts)
        self.assertIn('have 9 request groups together; at most 8', sentence)
        self.assert_available(*contexts)
        self.flags(max_groups_per_server=9, group='nova_cyborg')
        self.boot(*contexts)

    def test_more_contexts_than_anybody_may_use(self) -> None:
        unknown = [uuidutils.generate_uuid() for _ in range(65)]
        sentence = self.refused(400, *unknown)
        self.assertIn('have 65 request groups together; at most 8', sentence)
        self.assertEqual([], self.nova_calls())

    def test_boot_from_volume(self) -> None:
        volume = {
            'boot_index': 0,
            'uuid': uuidutils.generate_uuid(),
            'source_type': 'volume',
            'destination_type': 'volume',
        }
        sentence = self.refused(
            404, 'my-fpga', imageRef='', block_device_mapping_v2=[volume]
        )
        self.assertIn('Device context my-fpga was not found', sentence)

    def test_the_hints_older_name(self) -> None:
        body = {
            'server': self._build_server(networks='none'),
            'OS-SCH-HNT:scheduler_hints': {'device_context_id': 'my-fpga'},
        }
        error = self.assertRaises(
            client.OpenStackApiException, self.api.post_server, body
        )
        self.assertEqual(404, error.response.status_code)
        self.assertIn('Device context my-fpga', error.response.text)


class CyborgTest(TestCase):
    """A Cyborg that cannot be used."""

    def setUp(self) -> None:
        super().setUp()
        self.context = self.create_context()

    def _fault(self, action: str, value: float = 0) -> None:
        self.cyborg.control(
            'fault', method='POST', path='check$', action=action, value=value
        )

    def _assert_refused(self, status: int, *sentences: str) -> None:
        found = self.refused(status, self.context, name='vm1')
        for sentence in sentences:
            self.assertIn(sentence, found)
        self.cyborg.control('start')
        self.cyborg.control('clear_faults')
        self.cyborg.control('serve', stock=False)
        self.assert_available(self.context)

    def test_stock_cyborg(self) -> None:
        self.cyborg.control('serve', stock=True)
        self._assert_refused(
            501,
            'does not serve device contexts',
            'Operators: ',
        )

    def test_down(self) -> None:
        self.cyborg.control('stop')
        self._assert_refused(
            503,
            'which has the device contexts, did not answer',
            'the connection failed',
        )

    def test_unavailable(self) -> None:
        self._fault('answer', 503)
        self._assert_refused(503, 'did not answer', 'HTTP status 503')

    def test_time_out(self) -> None:
        self.flags(timeout=1, group='cyborg')
        self._fault('late', 3)
        self._assert_refused(503, 'did not answer', 'timed out')

    def test_dropped(self) -> None:
        self._fault('drop')
        self._assert_refused(503, 'did not answer')

    def test_failed(self) -> None:
        self._fault('answer', 500)
        self._assert_refused(502, 'failed with HTTP status 500')

    def test_an_answer_that_is_none(self) -> None:
        self._fault('answer', 200)
        self._assert_refused(502, 'its answer cannot be understood')

    def test_service_token_is_not_sent(self) -> None:
        self.flags(send_service_user_token=False, group='service_user')
        self._assert_refused(403, 'send_service_user_token')

    def test_a_server_without_the_hint_is_built(self) -> None:
        self.cyborg.control('stop')
        self.boot()


class CallsTest(TestCase):
    """How often nova-api calls Cyborg."""

    def _checks(self) -> int:
        return self.nova_calls().count(_CHECK)

    def test_however_many_contexts_it_is_one_call(self) -> None:
        for number in (1, 8):
            before = self._checks()
            self.boot(*[self.create_context() for _ in range(number)])
            self.assertEqual(before + 1, self._checks())

    def test_a_refusal_is_one_call(self) -> None:
        self.refused(404, self.create_context(), uuidutils.generate_uuid())
        self.assertEqual([_CHECK], self.nova_calls())

    def test_the_sentence_is_that_of_the_conductor(self) -> None:
        held = self.create_context()
        self.boot(held)
        unknown = uuidutils.generate_uuid()
        others = [self.create_context() for _ in range(9)]
        for status, *hint in (
            (404, unknown),
            (404, 'my-fpga'),
            (409, held),
            (400, others[0], others[0]),
            (400, *others),
        ):
            sentence = self.refused(status, *hint)
            with self.without_api_plugin():
                self.assertEqual(self.boot_fails(*hint), sentence)


class _LimitedTestCase(TestCase):
    """Keystone limits a project to two FPGAs, and to nothing else."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(driver='nova.quota.UnifiedLimitsDriver', group='quota')
        limits = dict.fromkeys(
            (
                'servers',
                'class:VCPU',
                'class:MEMORY_MB',
                'class:DISK_GB',
                'server_metadata_items',
                'server_injected_files',
                'server_injected_file_content_bytes',
                'server_injected_file_path_bytes',
            ),
            100_000,
        )
        limits['class:FPGA'] = 2
        self.useFixture(limit_fixture.LimitFixture(limits, {}))


@testtools.skipUnless(_COUNTS, _SINCE)
class UnifiedLimitsTest(_LimitedTestCase):
    """Keystone's limits count device contexts as they count profiles."""

    def _profile_flavor(self, amount: int) -> str:
        self.create_profile('gzip', {'resources:FPGA': str(amount)})
        return self._create_flavor(extra_spec={'accel:device_profile': 'gzip'})

    def test_up_to_the_limit(self) -> None:
        contexts = [self.create_context() for _ in range(3)]
        server = self.boot(*contexts[:2])
        sentence = self.refused(403, contexts[2])
        self.assertIn('class:FPGA', sentence)
        self.assertEqual('available', self.status(contexts[2]))
        self.delete(server)
        self.boot(contexts[2])

    def test_amounts_and_contexts_are_added_up(self) -> None:
        context = self.create_context(resources={'FPGA': 2})
        self.assertIn(
            'class:FPGA', self.refused(403, context, self.create_context())
        )
        self.boot(context)

    def test_with_the_flavors_device_profile(self) -> None:
        flavor = self._profile_flavor(2)
        sentence = self.refused(403, self.create_context(), flavorRef=flavor)
        self.assertIn('class:FPGA', sentence)
        self.boot(flavorRef=flavor)
        self.assertEqual(2, self.usage(self.device))

    def test_as_a_device_profile(self) -> None:
        flavor = self._profile_flavor(3)
        self.assertEqual(
            self.refused(403, flavorRef=flavor),
            self.refused(403, self.create_context(resources={'FPGA': 3})),
        )

    def test_other_servers_are_not_concerned(self) -> None:
        self.boot(self.create_context(resources={'FPGA': 2}))
        self.boot()

    def test_the_conductor_counts_again(self) -> None:
        context = self.create_context(resources={'FPGA': 3})
        with self.without_api_plugin():
            self.assertIn('class:FPGA', self.boot_fails(context))
        self.assert_available(context)


@testtools.skipIf(_COUNTS, _SINCE)
class UncountedTest(_LimitedTestCase):
    """Before that, they count neither."""

    def test_more_than_the_limit(self) -> None:
        self.boot(self.create_context(resources={'FPGA': 3}))
        self.assertEqual(3, self.usage(self.device))
