# SPDX-License-Identifier: Apache-2.0

"""The client that Nova's services use, against canned answers."""

import dataclasses

import pytest
import requests
from keystoneauth1 import adapter, noauth, session

from nova_cyborg import combinations, cyborg_client, exception, model

ENDPOINT = 'http://cyborg.test/accelerator/v2'
SERVER_ID = '3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11'
MIGRATION_ID = 'c1a3f0de-52b8-4f0e-9a67-8d1e2b3c4f50'
CALLER = 'ca11ca11-0000-4000-8000-000000000000'
CONTEXT_ID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
ALLOCATION_URL = f'{ENDPOINT}/device_allocations/{SERVER_ID}'
CHECK_URL = f'{ENDPOINT}/device_allocations/check'
GROUP = {
    'resources': {'CUSTOM_FPGA_GZIP': 1},
    'required': [],
    'forbidden': [],
    'config': {},
}
ALLOCATION = {
    'server_id': SERVER_ID,
    'project_id': 'project',
    'generation': 3,
    'fault': 'no slot',
    'device_contexts': [
        {
            'uuid': CONTEXT_ID,
            'name': 'gzip',
            'tag': None,
            'status': 'error',
            'fault': 'no slot',
            'groups': [GROUP],
            'live_migration': 'detach',
            'bindings': [
                {
                    'host': 'host1',
                    'state': 'active',
                    'devices': [
                        {
                            'arq_id': 'arq',
                            'group': 0,
                            'state': 'Bound',
                            'slot': None,
                            'of_a_later_release': True,
                        }
                    ],
                }
            ],
        }
    ],
}
BINDING = model.Binding('host1', 'active', (model.Device('arq', 0, 'Bound'),))
COMBINATIONS = {'plain': 81, 'pruned': 9}
PROVIDERS = {f'device_context_{CONTEXT_ID}_0': 'provider'}

# Every call, as a client makes it.
CALLS = {
    'check': (
        'POST',
        CHECK_URL,
        lambda client: client.check([CONTEXT_ID]),
    ),
    'get': ('GET', ALLOCATION_URL, lambda client: client.get(SERVER_ID)),
    'reserve': (
        'PUT',
        ALLOCATION_URL,
        lambda client: client.reserve(SERVER_ID, [CONTEXT_ID], CALLER),
    ),
    'begin': (
        'POST',
        f'{ALLOCATION_URL}/begin',
        lambda client: client.begin(SERVER_ID, 'req-1', CALLER),
    ),
    'bind': (
        'POST',
        f'{ALLOCATION_URL}/bind',
        lambda client: client.bind(SERVER_ID, 'compute1', PROVIDERS, 3),
    ),
    'unbind': (
        'POST',
        f'{ALLOCATION_URL}/unbind',
        lambda client: client.unbind(SERVER_ID, 3),
    ),
    'release': (
        'DELETE',
        ALLOCATION_URL,
        lambda client: client.release(SERVER_ID),
    ),
    'is_resolved': (
        'GET',
        f'{ENDPOINT}/accelerator_requests',
        lambda client: client.is_resolved(SERVER_ID),
    ),
    'unbind_attempt': (
        'POST',
        f'{ALLOCATION_URL}/unbind',
        lambda client: client.unbind_attempt(SERVER_ID, ['arq1']),
    ),
    'activate': (
        'POST',
        f'{ALLOCATION_URL}/activate',
        lambda client: client.activate(SERVER_ID, MIGRATION_ID),
    ),
    'unbind_migration': (
        'POST',
        f'{ALLOCATION_URL}/unbind',
        lambda client: client.unbind_migration(SERVER_ID, MIGRATION_ID),
    ),
    'settle': (
        'POST',
        f'{ALLOCATION_URL}/settle',
        lambda client: client.settle(SERVER_ID, MIGRATION_ID),
    ),
    'attach': (
        'POST',
        f'{ALLOCATION_URL}/attach',
        lambda client: client.attach(SERVER_ID, CONTEXT_ID, CALLER, 'p'),
    ),
    'bind_attached': (
        'POST',
        f'{ALLOCATION_URL}/bind',
        lambda client: client.bind_attached(
            SERVER_ID, CONTEXT_ID, 'compute1', PROVIDERS, CALLER
        ),
    ),
    'attached': (
        'POST',
        f'{ALLOCATION_URL}/attached',
        lambda client: client.attached(SERVER_ID, CONTEXT_ID, CALLER),
    ),
    'detach': (
        'POST',
        f'{ALLOCATION_URL}/detach',
        lambda client: client.detach(SERVER_ID, CONTEXT_ID, CALLER),
    ),
    'unplug': (
        'POST',
        f'{ALLOCATION_URL}/unplug',
        lambda client: client.unplug(SERVER_ID, CONTEXT_ID, CALLER, ['rp']),
    ),
    'detached': (
        'POST',
        f'{ALLOCATION_URL}/detached',
        lambda client: client.detached(SERVER_ID, CONTEXT_ID, CALLER),
    ),
    'delete_arqs': (
        'DELETE',
        f'{ENDPOINT}/accelerator_requests',
        lambda client: client.delete_arqs(['arq1']),
    ),
}
ANSWERED = [
    'check',
    'get',
    'reserve',
    'bind',
    'attach',
    'bind_attached',
    'detach',
    'unplug',
    'detached',
]
every_call = pytest.mark.parametrize('call', CALLS)


@pytest.fixture
def client():
    auth = noauth.NoAuth(endpoint=ENDPOINT)
    return cyborg_client.AllocationClient(
        adapter.Adapter(session.Session(auth=auth), service_type='accelerator')
    )


@pytest.fixture
def fails(client, requests_mock):
    """Returns what a call raises when it gets some answer."""

    def _fails(call='get', **answer):
        method, url, run = CALLS[call]
        requests_mock.register_uri(method, url, **answer)
        with pytest.raises(exception.DeviceContextError) as info:
            run(client)
        return info.value

    return _fails


class TestCalls:
    ALLOCATION = cyborg_client.ServerAllocation(
        generation=3,
        fault='no slot',
        contexts=(
            cyborg_client.AllocatedContext(
                CONTEXT_ID,
                (model.Choice((model.Group((('CUSTOM_FPGA_GZIP', 1),)),)),),
                'detach',
                (BINDING,),
                name='gzip',
                status='error',
                fault='no slot',
            ),
        ),
    )

    @pytest.mark.parametrize('holder', [None, SERVER_ID])
    def test_check(self, client, requests_mock, holder):
        item = {'uuid': CONTEXT_ID, 'groups': [GROUP], 'server_id': holder}
        request = requests_mock.post(
            CHECK_URL,
            json={'device_contexts': [item], 'combinations': COMBINATIONS},
        )

        checked = client.check((CONTEXT_ID,))

        (found,) = checked.contexts
        assert checked.combinations == combinations.Combinations(81, 9)
        assert (found.uuid, found.holder) == (CONTEXT_ID, holder)
        assert found.groups == self.ALLOCATION.contexts[0].groups
        # A cyborg-api of an earlier release does not say more.
        assert found.live_migration == 'refuse'
        assert request.last_request.json() == {'device_contexts': [CONTEXT_ID]}

    def test_get(self, client, requests_mock):
        requests_mock.get(ALLOCATION_URL, json=ALLOCATION)

        assert client.get(SERVER_ID) == self.ALLOCATION

    def test_reserve(self, client, requests_mock):
        request = requests_mock.put(ALLOCATION_URL, json=ALLOCATION)

        allocation = client.reserve(SERVER_ID, (CONTEXT_ID,), CALLER)

        assert allocation == self.ALLOCATION
        assert request.last_request.json() == {
            'device_contexts': [CONTEXT_ID],
            'caller': CALLER,
        }

    @pytest.mark.parametrize('name', ['check', 'reserve', 'begin'])
    def test_what_placement_has_to_try(self, client, requests_mock, name):
        method, url, _call = CALLS[name]
        answer = ALLOCATION | {'combinations': COMBINATIONS}
        answer['device_contexts'] = [
            {**each, 'server_id': None} for each in answer['device_contexts']
        ]
        request = requests_mock.register_uri(method, url, json=answer)
        arguments = {
            'check': ((CONTEXT_ID,),),
            'reserve': (SERVER_ID, (CONTEXT_ID,), CALLER),
            'begin': (SERVER_ID, 'req-1', CALLER),
        }[name]

        flavor = cyborg_client.FlavorRequest('gzip', ({'GPU': 2},))
        found = getattr(client, name)(*arguments, flavor=flavor)

        assert found.combinations == combinations.Combinations(81, 9)
        sent = request.last_request.json()
        assert sent['device_profile'] == 'gzip'
        assert sent['flavor_resources'] == [{'GPU': 2}]

    def test_begin(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/begin', json=ALLOCATION
        )

        assert client.begin(SERVER_ID, 'req-1', CALLER) == self.ALLOCATION
        assert request.last_request.json() == {
            'operation': 'req-1',
            'caller': CALLER,
        }

    def test_bind(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/bind',
            status_code=202,
            json={'generation': 1, 'arqs': ['arq1', 'arq2']},
        )

        arqs = client.bind(SERVER_ID, 'compute1', PROVIDERS, 3)

        assert arqs == ['arq1', 'arq2']
        assert request.last_request.json() == {
            'hostname': 'compute1',
            'resource_providers': PROVIDERS,
            'generation': 3,
        }

    def test_bind_of_a_server_that_is_moved(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/bind',
            status_code=202,
            json={'generation': 1, 'arqs': ['arq1']},
        )

        client.bind(SERVER_ID, 'compute2', PROVIDERS, 3, MIGRATION_ID)

        assert request.last_request.json()['migration'] == MIGRATION_ID

    @pytest.mark.parametrize(
        ('method', 'action'),
        [('unbind_migration', 'unbind'), ('settle', 'settle')],
    )
    def test_the_end_of_a_migration(
        self, client, requests_mock, method, action
    ):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/{action}', status_code=204
        )

        assert getattr(client, method)(SERVER_ID, MIGRATION_ID) is None
        assert request.last_request.json() == {'migration': MIGRATION_ID}

    def test_the_end_of_a_migration_on_a_node(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/unbind', status_code=204
        )

        client.unbind_migration(SERVER_ID, MIGRATION_ID, 'compute2')

        assert request.last_request.json() == {
            'migration': MIGRATION_ID,
            'hostname': 'compute2',
        }

    def test_settle_waits_no_longer_than_it_is_told(
        self, client, requests_mock
    ):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/settle', status_code=204
        )

        client.settle(SERVER_ID, MIGRATION_ID, 20.0)

        assert request.last_request.timeout == 20.0

    def test_activate(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/activate', json={'arqs': [{'uuid': 'arq1'}]}
        )

        assert client.activate(SERVER_ID, MIGRATION_ID) == [{'uuid': 'arq1'}]
        assert request.last_request.json() == {'migration': MIGRATION_ID}

    def test_the_arqs_of_a_migration(self, client, requests_mock):
        request = requests_mock.get(
            f'{ENDPOINT}/accelerator_requests', json={'arqs': []}
        )

        assert client.arqs(SERVER_ID, MIGRATION_ID) == []
        assert request.last_request.qs['instance'] == [SERVER_ID]
        assert request.last_request.qs['migration'] == [MIGRATION_ID]

    @pytest.mark.parametrize(
        ('tag', 'flavor', 'sent'),
        [
            (None, None, {}),
            (
                'gzip',
                cyborg_client.FlavorRequest('fpga', ({'GPU': 2},)),
                {
                    'tag': 'gzip',
                    'device_profile': 'fpga',
                    'flavor_resources': [{'GPU': 2}],
                },
            ),
        ],
    )
    def test_attach(self, client, requests_mock, tag, flavor, sent):
        item = ALLOCATION['device_contexts'][0] | {
            'status': 'attaching',
            'tag': tag,
        }
        request = requests_mock.post(
            f'{ALLOCATION_URL}/attach',
            json={
                'generation': 0,
                'device_context': item,
                'taints': ['ecc'],
                'resumed': True,
                'held': [CONTEXT_ID],
                'groups': 3,
                'combinations': COMBINATIONS,
            },
        )

        found = client.attach(
            SERVER_ID, CONTEXT_ID, CALLER, 'project', tag=tag, flavor=flavor
        )

        assert found.context == dataclasses.replace(
            self.ALLOCATION.contexts[0], status='attaching', tag=tag
        )
        assert (found.taints, found.resumed) == (('ecc',), True)
        assert found.held == (CONTEXT_ID,)
        assert found.groups == 3
        assert found.combinations == combinations.Combinations(81, 9)
        assert request.last_request.json() == {
            'device_context': CONTEXT_ID,
            'caller': CALLER,
            'project_id': 'project',
            **sent,
        }

    def test_bind_attached(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/bind',
            status_code=202,
            json={'generation': 1, 'arqs': ['arq1', 'arq2']},
        )

        arqs = client.bind_attached(
            SERVER_ID, CONTEXT_ID, 'compute1', PROVIDERS, CALLER
        )

        assert arqs == ['arq1', 'arq2']
        assert request.last_request.json() == {
            'hostname': 'compute1',
            'resource_providers': PROVIDERS,
            'device_context': CONTEXT_ID,
            'caller': CALLER,
        }

    @pytest.mark.parametrize(
        'given', [{}, {'caller': CALLER}, {'fault': 'it keeps it'}]
    )
    def test_attached(self, client, requests_mock, given):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/attached', status_code=204
        )

        assert client.attached(SERVER_ID, CONTEXT_ID, **given) is None
        assert request.last_request.json() == {
            'device_context': CONTEXT_ID,
            **given,
        }

    def test_detach(self, client, requests_mock):
        item = ALLOCATION['device_contexts'][0] | {'status': 'detaching'}
        request = requests_mock.post(
            f'{ALLOCATION_URL}/detach', json={'device_context': item}
        )

        found = client.detach(SERVER_ID, CONTEXT_ID, CALLER)

        assert (found.uuid, found.status) == (CONTEXT_ID, 'detaching')
        assert found.bindings == (BINDING,)
        assert request.last_request.json() == {
            'device_context': CONTEXT_ID,
            'caller': CALLER,
        }

    def test_unplug(self, client, requests_mock):
        left = {'provider': {'FPGA': 1}, 'other': {}}
        request = requests_mock.post(
            f'{ALLOCATION_URL}/unplug', json={'resources': left}
        )

        found = client.unplug(
            SERVER_ID, CONTEXT_ID, CALLER, {'provider': None, 'other': None}
        )

        assert found == left
        assert request.last_request.json() == {
            'device_context': CONTEXT_ID,
            'caller': CALLER,
            'resource_providers': ['provider', 'other'],
        }

    @pytest.mark.parametrize('given', [{}, {'fault': 'no device'}])
    def test_detached(self, client, requests_mock, given):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/detached', json={'contexts': 2}
        )

        assert client.detached(SERVER_ID, CONTEXT_ID, CALLER, **given) == 2
        assert request.last_request.json() == {
            'device_context': CONTEXT_ID,
            'caller': CALLER,
            **given,
        }

    @pytest.mark.parametrize('name', ['attached', 'detached'])
    def test_a_fault_is_bounded(self, client, requests_mock, name):
        """One that Cyborg refuses would leave the device context stuck."""
        request = requests_mock.post(
            f'{ALLOCATION_URL}/{name}', json={'contexts': 0}
        )

        getattr(client, name)(SERVER_ID, CONTEXT_ID, CALLER, 'x' * 5000)

        assert request.last_request.json()['fault'] == 'x' * 4096

    def test_unbind_attempt(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/unbind', status_code=204
        )

        assert client.unbind_attempt(SERVER_ID, {'arq1'}) is None
        assert request.last_request.json() == {'arqs': ['arq1']}

    def test_unbind(self, client, requests_mock):
        request = requests_mock.post(
            f'{ALLOCATION_URL}/unbind', status_code=204
        )

        assert client.unbind(SERVER_ID, 3) is None
        assert request.last_request.json() == {'generation': 3}

    def test_release(self, client, requests_mock):
        request = requests_mock.delete(ALLOCATION_URL, status_code=204)

        assert client.release(SERVER_ID) is None
        assert request.call_count == 1

    @pytest.mark.parametrize(
        ('status', 'resolved'), [(200, True), (423, False)]
    )
    def test_is_resolved(self, client, requests_mock, status, resolved):
        request = requests_mock.get(
            f'{ENDPOINT}/accelerator_requests', status_code=status
        )

        assert client.is_resolved(SERVER_ID) is resolved
        assert request.last_request.qs == {
            'bind_state': ['resolved'],
            'instance': [SERVER_ID],
        }

    def test_delete_arqs(self, client, requests_mock):
        request = requests_mock.delete(
            f'{ENDPOINT}/accelerator_requests', status_code=204
        )

        assert client.delete_arqs(['arq1', 'arq2']) is None
        assert request.last_request.query == 'arqs=arq1,arq2'


class TestNoAnswer:
    @every_call
    @pytest.mark.parametrize(
        'failure',
        [
            requests.exceptions.ConnectionError('[Errno 111] refused'),
            requests.exceptions.ConnectTimeout('connect timed out'),
            requests.exceptions.ReadTimeout('read timed out'),
            requests.exceptions.SSLError('bad certificate'),
            requests.exceptions.ChunkedEncodingError('broken off'),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    def test_cyborg_cannot_be_reached(self, fails, call, failure):
        error = fails(call, exc=failure)

        assert type(error) is exception.CyborgUnreachable
        assert 'Accelerator service (Cyborg)' in str(error)
        assert error.__cause__ is not None
        # A project reads it as the fault of its server.
        assert '://' not in str(error)
        assert str(failure) not in str(error)

    @pytest.mark.parametrize('endpoint', ['', 'cyborg.test', None])
    def test_an_endpoint_that_is_no_url(self, endpoint):
        client = cyborg_client.AllocationClient(
            adapter.Adapter(
                session.Session(auth=noauth.NoAuth(endpoint=endpoint))
            )
        )

        with pytest.raises(
            exception.CyborgUnreachable, match='did not answer'
        ):
            client.get(SERVER_ID)


class TestErrorAnswers:
    @every_call
    @pytest.mark.parametrize('status', [502, 503, 504])
    def test_a_proxy_answers_for_cyborg(self, fails, call, status):
        error = fails(call, status_code=status, text='<html>')

        assert type(error) is exception.CyborgUnreachable
        assert str(status) in str(error)

    @every_call
    def test_a_stock_cyborg_has_no_such_path(self, fails, call):
        stock = {'error_message': '<html>404 Not Found</html>'}

        error = fails(call, status_code=404, json=stock)

        assert type(error) is exception.CyborgWithoutDeviceContexts
        assert 'api-paste.ini' in str(error)

    @every_call
    @pytest.mark.parametrize('status', [400, 401, 403, 500])
    @pytest.mark.parametrize(
        'body',
        [
            {'text': 'no JSON'},
            {'json': {'error_message': {'faultstring': 'x'}}},
            {'json': {'errors': []}},
            {'json': {'errors': [{'code': 'keystone.error'}]}},
            {'json': {'errors': [{'code': ['a', 'list'], 'detail': 'x'}]}},
            {'json': {'errors': [None]}},
            {'json': ['a', 'list']},
            {'json': None},
        ],
    )
    def test_other_failures_tell_the_status(self, fails, call, status, body):
        error = fails(call, status_code=status, reason='For a reason', **body)

        assert type(error) is exception.CyborgFailed
        assert f'HTTP status {status}' in str(error)
        assert 'For a reason' in str(error)

    def test_another_services_sentence_is_told(self, fails):
        errors = [{'code': 'other.error', 'detail': 'The disk is full.'}]

        error = fails(status_code=500, json={'errors': errors})

        assert type(error) is exception.CyborgFailed
        assert 'The disk is full.' in str(error)

    @pytest.mark.parametrize(
        'cls',
        list(exception.all_errors()),
        ids=lambda cls: cls.__name__,
    )
    def test_our_own_errors_are_raised_again(self, fails, cls):
        errors = [
            {
                'status': cls.status,
                'code': cls.error_code,
                'title': 'Title',
                'detail': 'The sentence, 100 % of it.',
                'request_id': 'req-1',
            }
        ]

        error = fails(status_code=cls.status, json={'errors': errors})

        assert type(error) is cls
        assert str(error) == 'The sentence, 100 % of it.'


class TestAnswersThatAreNone:
    """What answers with 200 is not always Cyborg."""

    @pytest.mark.parametrize('call', ANSWERED)
    @pytest.mark.parametrize(
        'body',
        [
            {'text': '<html>Please log in</html>'},
            {'text': ''},
            {'json': {}},
            {'json': []},
            {'json': None},
            {'json': {'arqs': None, 'device_contexts': None}},
        ],
    )
    def test_it_is_a_failure(self, fails, call, body):
        error = fails(call, status_code=200, **body)

        assert type(error) is exception.CyborgFailed
        assert 'Accelerator service (Cyborg)' in str(error)
