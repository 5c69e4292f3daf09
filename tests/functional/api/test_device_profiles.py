# SPDX-License-Identifier: Apache-2.0

"""Cyborg's device profiles: the hidden ones stay hidden."""

import uuid
from importlib import metadata

import pytest
import sqlalchemy as sa
from cyborg import objects
from cyborg.db.sqlalchemy import models

from nova_cyborg import language, model
from tests.functional.api import cyborg

PROFILE = {'name': 'afaas_example', 'groups': [{'resources:FPGA': '1'}]}
# Without the service's name, as Cyborg before 17 understands it, too.
LATEST = {'OpenStack-API-Version': '2.3'}
# Cyborg before 17 tells only administrators which profiles there are.
TELLS_ALL = int(metadata.version('openstack-cyborg').partition('.')[0]) >= 17


@pytest.fixture
def hidden(cloud, boot):
    """Name and UUID of a hidden profile, which is in use."""
    boot(cloud.add_device(), config={'key1': 'val1'})
    with cloud.engine.connect() as connection:
        (row,) = connection.execute(
            sa.select(models.DeviceProfile.name, models.DeviceProfile.uuid)
        )
    assert row.name.startswith(model.PROFILE_PREFIX)
    return row


@pytest.mark.parametrize('persona', ['member', 'admin', 'nova'])
class TestHidden:
    @pytest.fixture
    def caller(self, request, persona):
        return request.getfixturevalue(persona)

    def test_it_is_not_in_the_list(self, hidden, admin, caller):
        admin.post('/v2/device_profiles', [PROFILE])

        listed = caller.get('/v2/device_profiles').json['device_profiles']
        assert [each['name'] for each in listed] == [PROFILE['name']]
        by_name = caller.get(f'/v2/device_profiles?name={hidden.name}')
        assert by_name.json['device_profiles'] == []

    @pytest.mark.parametrize('by', ['uuid', 'name'])
    def test_it_is_not_shown(self, hidden, caller, persona, by):
        unknown = {'uuid': str(uuid.uuid4()), 'name': 'unknown'}[by]

        asked = getattr(hidden, by)
        for each in (unknown, asked):
            self._assert_not_shown(caller, persona, each)

    def _assert_not_shown(self, caller, persona, asked):
        status = 404 if persona == 'admin' or TELLS_ALL else 403
        response = caller.get(
            f'/v2/device_profiles/{asked}', headers=LATEST, status=status
        )
        assert 'val1' not in response.text

    @pytest.mark.parametrize('by', ['uuid', 'name'])
    def test_it_is_not_there_to_be_copied(self, hidden, caller, by):
        error = cyborg.error_of(
            caller.create(device_profile=getattr(hidden, by), status=404)
        )

        assert error['code'] == 'nova_cyborg.device_profile.not_found'
        assert 'val1' not in error['detail']

    def test_it_is_not_there_to_make_arqs_of(self, cloud, hidden, caller):
        before = cloud.count(models.ExtArq)

        caller.post(
            '/v2/accelerator_requests',
            {'device_profile_name': hidden.name},
            status=404,
        )

        assert cloud.count(models.ExtArq) == before

    def test_case_does_not_matter(self, hidden, caller, persona, monkeypatch):
        """As on MariaDB, where the database finds it in capitals, too."""
        found = objects.DeviceProfile.get_by_name
        monkeypatch.setattr(
            objects.DeviceProfile,
            'get_by_name',
            lambda context, name: found(context, name.lower()),
        )
        name = hidden.name.upper()

        self._assert_not_shown(caller, persona, name)
        caller.post(
            '/v2/accelerator_requests',
            {'device_profile_name': name},
            status=404,
        )


@pytest.mark.parametrize('by', ['uuid', 'name'])
def test_an_admin_does_not_delete_it(cloud, hidden, admin, by):
    admin.post('/v2/device_profiles', [PROFILE])
    one = getattr(hidden, by)
    paths = [f'/v2/device_profiles/{one}', f'/v2/device_profiles?value={one}']
    if by == 'name':
        paths.append(f'/v2/device_profiles?value={PROFILE["name"]},{one}')

    for path in paths:
        admin.delete_path(path, status=404)

    assert cloud.count(models.DeviceProfile) == 2
    (arq,) = admin.get('/v2/accelerator_requests').json['arqs']
    assert arq['device_profile_name'] == hidden.name


def test_profiles_are_deleted_by_their_names(cloud, admin):
    names = ['one', 'two']
    for name in names:
        admin.post('/v2/device_profiles', [{**PROFILE, 'name': name}])

    admin.delete_path(
        f'/v2/device_profiles?value={",".join(names)}', status=204
    )

    assert cloud.count(models.DeviceProfile) == 0


def test_names_like_those_of_hidden_ones_are_reserved(cloud, admin):
    for name in (
        model.PROFILE_PREFIX,
        f'{model.PROFILE_PREFIX}mine',
        model.profile_name([language.parse_group({'resources': {'FPGA': 1}})]),
    ):
        response = admin.post(
            '/v2/device_profiles', [{**PROFILE, 'name': name}], status=400
        )
        assert 'reserved for device contexts' in response.text
    assert cloud.count(models.DeviceProfile) == 0


@pytest.mark.parametrize('by', ['uuid', 'name'])
def test_other_profiles_are_as_in_stock_cyborg(cloud, admin, by):
    stock = cyborg.Caller(cloud.stock_api(), roles=('admin',))
    made = admin.post('/v2/device_profiles', [PROFILE]).json
    path = f'/v2/device_profiles/{made[by]}'

    for asked in ('/v2/device_profiles', path):
        ours = admin.get(asked, headers=LATEST).json
        assert ours == stock.get(asked, headers=LATEST).json

    admin.delete_path(f'/v2/device_profiles/{made["uuid"]}', status=204)
    assert cloud.count(models.DeviceProfile) == 0


def test_a_request_that_stock_cyborg_refuses_is_refused(cloud, admin):
    stock = cyborg.Caller(cloud.stock_api(), roles=('admin',))
    for bad in (
        [],
        [PROFILE, PROFILE],
        [{'name': 'a'}],
        [{'groups': PROFILE['groups']}],
        [{**PROFILE, 'name': 'a b'}],
        [{**PROFILE, 'groups': [{'trait:HW_CPU_X86_VMX': 'required'}]}],
    ):
        ours = admin.post('/v2/device_profiles', bad, status='*')
        theirs = stock.post('/v2/device_profiles', bad, status='*')
        assert ours.status_int == theirs.status_int >= 400
        assert ours.json == theirs.json
