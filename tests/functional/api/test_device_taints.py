# SPDX-License-Identifier: Apache-2.0

"""Taints of devices: whoever does not tolerate them does not get those."""

import uuid as uuid_lib

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import taints
from nova_cyborg.fixture import nova_api
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

TAINTS = '/v2/device_taints'
ECC = 'CUSTOM_TAINT_ECC_ERRORS'
ASKED = f'trait:{ECC}'
SERVER_ID = str(uuid_lib.uuid4())


@pytest.fixture
def provider(cloud):
    return cloud.add_device()


@pytest.fixture
def device(cloud, provider):
    query = (
        sa.select(models.Device.uuid)
        .join(
            models.Deployable, models.Deployable.device_id == models.Device.id
        )
        .where(models.Deployable.rp_uuid == provider)
    )
    with cloud.engine.connect() as connection:
        return connection.scalar(query)


def taint(admin, device, key='ecc-errors', status=201, **fields):
    body = {'device_uuid': device, 'key': key, 'reason': 'Two a minute.'}
    answer = admin.post(TAINTS, {**body, **fields}, status=status).json
    return answer if status == 201 else answer['errors'][0]


def test_a_database_that_stores_fewer_characters(
    admin, cloud, placement, device, provider, monkeypatch
):
    monkeypatch.setattr(
        session, 'last_character', lambda context, table: '\uffff'
    )

    error = taint(admin, device, reason='It burns 🔥', status=400)

    assert error['code'] == 'nova_cyborg.invalid_request'
    assert error['detail'].startswith('Invalid reason: it has characters')
    assert placement.traits == {}
    assert cloud.count(tables.DeviceTaint) == 0
    taint(admin, device, reason='Größe')


def test_its_life(admin, placement, device, provider):
    made = taint(admin, device)

    assert made['device_uuid'] == device
    assert made['key'] == 'ecc-errors'
    assert made['reason'] == 'Two a minute.'
    assert made['source'] == 'operator'
    assert made['links'][0]['href'].endswith(f'{TAINTS}/{made["uuid"]}')
    assert placement.traits == {provider: {ECC}}
    assert admin.get(f'{TAINTS}/{made["uuid"]}').json == made
    assert admin.get(TAINTS).json == {'device_taints': [made]}

    admin.delete_path(f'{TAINTS}/{made["uuid"]}', status=204)

    assert placement.traits == {provider: set()}
    assert admin.get(TAINTS).json == {'device_taints': []}
    admin.get(f'{TAINTS}/{made["uuid"]}', status=404)
    admin.delete_path(f'{TAINTS}/{made["uuid"]}', status=404)


def test_the_other_traits_of_the_provider_stay(
    admin, placement, device, provider
):
    placement.known.add('CUSTOM_X')
    placement.traits[provider] = {'CUSTOM_X'}

    made = taint(admin, device)
    assert placement.traits[provider] == {'CUSTOM_X', ECC}

    admin.delete_path(f'{TAINTS}/{made["uuid"]}', status=204)
    assert placement.traits[provider] == {'CUSTOM_X'}


def test_the_same_key_twice(admin, placement, device):
    taint(admin, device)

    error = taint(admin, device, status=409)

    assert error['code'] == 'nova_cyborg.device_taint.exists'
    assert len(admin.get(TAINTS).json['device_taints']) == 1


@pytest.mark.parametrize(
    ('fields', 'says'),
    [
        ({'key': 'ECC'}, 'small letters'),
        ({'key': 'a--b'}, 'small letters'),
        ({'key': '-a'}, 'small letters'),
        ({'key': ''}, 'must not be empty'),
        ({'key': 'a' * 65}, '65 characters'),
        ({'key': 7}, 'of type string'),
        ({'key': 'unhealthy'}, 'agents'),
        ({'reason': ''}, 'must not be empty'),
        ({'reason': 'x' * 1025}, 'at most 1024'),
        ({'reason': 'two\nlines'}, 'printable'),
        ({'device_uuid': 'x'}, 'uuid'),
        ({'effect': 'NoExecute'}, 'no such field'),
    ],
)
def test_bad_input(admin, placement, device, fields, says):
    error = taint(admin, device, status=400, **fields)

    assert says in error['detail']
    assert not placement.calls


def test_an_unknown_device(admin, placement):
    error = taint(admin, cyborg.UNKNOWN, status=404)

    assert error['code'] == 'nova_cyborg.device.not_found'
    assert not placement.calls


def test_too_many_keys(admin, placement, device):
    for number in range(taints.MAX_KEYS):
        taint(admin, device, f'key-{number}')

    error = taint(admin, device, 'one-more', status=409)

    assert error['code'] == 'nova_cyborg.device_taint.too_many'


@pytest.mark.parametrize('fails', ['trait', 'provider'])
def test_placement_does_not_answer(admin, placement, device, fails):
    if fails == 'trait':
        placement.status_code = 503
        error = taint(admin, device, status=502)
        assert error['code'] == 'nova_cyborg.placement_failed'
    else:
        placement.get = lambda url, version: placement._answer({})
        placement._answer = lambda body: _unavailable()
        placement.put = lambda url, body, version: _ok()
        error = taint(admin, device, status=503)
        assert error['code'] == 'nova_cyborg.device_taint.untold'
    assert admin.get(TAINTS).json == {'device_taints': []}


def _unavailable():
    return nova_api.Response(503, {})


def _ok():
    return nova_api.Response(200, {})


def test_one_that_placement_cannot_be_told_of_stays(admin, placement, device):
    made = taint(admin, device)
    placement.status_code = 503

    admin.delete_path(f'{TAINTS}/{made["uuid"]}', status=503)

    assert admin.get(TAINTS).json == {'device_taints': [made]}


def test_pages(admin, cloud, placement):
    made = []
    for _ in range(3):
        cloud.add_device()
    with cloud.engine.connect() as connection:
        devices = list(connection.scalars(sa.select(models.Device.uuid)))
    for each in devices:
        made.append(taint(admin, each))
        made.append(taint(admin, each, 'other'))

    found = []
    path = f'{TAINTS}?limit=2'
    while path:
        page = admin.get(path).json
        assert len(page['device_taints']) <= 2
        found += page['device_taints']
        links = page.get('device_taints_links')
        path = links and links[0]['href'].partition('/v2')[2]
        path = path and f'/v2{path}'

    assert sorted(each['uuid'] for each in found) == sorted(
        each['uuid'] for each in made
    )
    of_one = admin.get(f'{TAINTS}?device_uuid={devices[0]}').json
    assert {each['key'] for each in of_one['device_taints']} == {
        'ecc-errors',
        'other',
    }


def test_nova_is_told_of_all_keys(admin, nova, member, placement, device):
    taint(admin, device)
    uuid = member.create_one(tolerated=['ecc-errors'])

    found = nova.reserve(SERVER_ID, uuid).json

    assert found['taints'] == ['ecc-errors']
    [context] = found['device_contexts']
    group = model.Group.from_dict(context['groups'][0])
    assert group.tolerated == ('ecc-errors',)
    assert group.refusing(found['taints']).forbidden == ()
    assert group.refusing(['other']).forbidden == ('CUSTOM_TAINT_OTHER',)
    begun = nova.begin(SERVER_ID).json
    assert begun['taints'] == ['ecc-errors']


@pytest.mark.parametrize('tolerated', [[], ['other'], ['ecc-errors', 'other']])
def test_one_that_was_chosen_before_is_not_bound(
    admin, nova, member, placement, device, provider, cloud, tolerated
):
    uuid = member.create_one(tolerated=tolerated)
    nova.reserve(SERVER_ID, uuid)
    taint(admin, device)

    may = 'ecc-errors' in tolerated
    answer = nova.bind(
        SERVER_ID, providers(provider, uuid), status=202 if may else 409
    )

    if may:
        wait_for_status(member, uuid, 'bound')
    else:
        [error] = answer.json['errors']
        assert error['code'] == 'nova_cyborg.device_tainted'
        assert cloud.used_slots() == 0


class TestProfile:
    """Device profiles of flavors, as Nova reads them and binds."""

    @pytest.fixture(autouse=True)
    def profile(self, admin):
        groups = [
            {'resources:FPGA': '1'},
            {'resources:FPGA': '1', ASKED: 'required'},
        ]
        admin.post('/v2/device_profiles', [{'name': 'fpga', 'groups': groups}])
        return groups

    def read(self, caller):
        path = '/v2/device_profiles?name=fpga'
        [found] = caller.get(path).json['device_profiles']
        return found['groups']

    def test_nova_forbids_what_is_tainted(
        self, admin, nova, placement, device, profile
    ):
        assert self.read(nova) == profile

        made = taint(admin, device)

        first, second = profile
        assert self.read(nova) == [{**first, ASKED: 'forbidden'}, second]
        admin.delete_path(f'{TAINTS}/{made["uuid"]}', status=204)
        assert self.read(nova) == profile

    def test_others_see_it_as_it_is(
        self, admin, member, placement, device, profile
    ):
        taint(admin, device)

        assert self.read(admin) == profile
        assert self.read(member) == profile

    @pytest.mark.parametrize('group', [0, 1])
    def test_it_is_bound_if_it_asks_for_the_taint(
        self, admin, nova, placement, device, provider, profile, group, cloud
    ):
        arqs = nova.post(
            '/v2/accelerator_requests', {'device_profile_name': 'fpga'}
        ).json['arqs']
        taint(admin, device)
        [arq] = [
            each for each in arqs if each['device_profile_group_id'] == group
        ]
        wanted = {
            'hostname': 'compute1',
            'device_rp_uuid': provider,
            'instance_uuid': SERVER_ID,
        }
        patch = [
            {'op': 'add', 'path': f'/{name}', 'value': value}
            for name, value in wanted.items()
        ]

        answer = nova.call(
            'patch_json',
            '/v2/accelerator_requests',
            {arq['uuid']: patch},
            status='*',
        )

        asks_for_it = ASKED in profile[group]
        assert answer.status_int == (202 if asks_for_it else 400)
        assert cloud.used_slots() == int(asks_for_it)
        if not asks_for_it:
            assert 'ecc-errors' in answer.text
