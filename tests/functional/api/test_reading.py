# SPDX-License-Identifier: Apache-2.0

"""Who reads writes nothing, whatever there is to be read."""

from tests.functional.api import cyborg  # isort: skip - first

import urllib.parse

import pytest
import sqlalchemy as sa

from nova_cyborg import model
from nova_cyborg.api.document import nouns
from nova_cyborg.db import tables

READING = [each for each in nouns.operations() if each.method == 'GET']
each_reading = pytest.mark.parametrize(
    'operation', READING, ids=[each.name for each in READING]
)
# Of each parameter, something that is there.
VALUES = {
    'all_projects': '1',
    'changes-since': '2026-01-01',
    'created_after': '2026-01-01',
    'created_before': '9999-01-01',
    'device_profile': 'nonesuch',
    'device_uuid': cyborg.UNKNOWN,
    'fields': 'uuid,name,groups',
    'host': 'compute1',
    'limit': '1',
    'marker': '{marker}',
    'name': 'n',
    'not-tags': 'c',
    'not-tags-any': 'c',
    'project_id': cyborg.PROJECT,
    'resource_class': 'FPGA',
    'server_id': '{server_id}',
    'sort': 'name:desc',
    'sort_dir': 'desc',
    'sort_key': 'name',
    'status': model.Status.BOUND,
    'tag': 't',
    'tags': 'a',
    'tags-any': 'a,b',
    'trait': 'FOO',
    'updated_after': '2026-01-01',
    'updated_before': '9999-01-01',
}


@pytest.fixture
def known(cloud, member, boot, nova):
    """A device context of a server, with what another release leaves out."""
    body = {
        'resources': {'FPGA': 1},
        'required': ['FOO'],
        'name': 'n',
        'tag': 't',
        'tags': ['a'],
    }
    provider = cloud.add_device(slots=4, traits=['CUSTOM_FOO'])
    server_id, uuid = boot(provider, **body)
    member.create_one(**body)
    row = tables.DeviceContext
    with cloud.engine.begin() as connection:
        connection.execute(sa.delete(tables.DeviceContextDemand))
        connection.execute(sa.delete(tables.DeviceContextAmount))
        connection.execute(sa.update(row).values(demands_recorded=False))
    return {'uuid': uuid, 'server_id': server_id, 'tag': 'a', 'marker': uuid}


def queries(operation):
    """Ask with nothing, each parameter alone, and those that narrow most."""
    yield ''
    parameters = operation.query['properties']
    for name in parameters:
        yield f'?{name}={urllib.parse.quote(VALUES[name], safe="{}")}'
    if {'resource_class', 'trait', 'host', 'tags'} <= parameters.keys():
        yield '?resource_class=FPGA&trait=FOO&host=compute1&tags=a'


@each_reading
def test_nothing_is_written(cloud, known, operation):
    roles = ('admin', 'service', 'member', 'reader')
    caller = cyborg.Caller(cloud.api, roles=roles, service=True)
    if operation.path.endswith('/events'):
        shown = caller.get(operation.path.format(**known)).json
        known['marker'] = shown['events'][0]['uuid']

    for query in queries(operation):
        path = f'{operation.path}{query}'.format(**known)
        with cloud.statements(of_all=False) as sent:
            answer = caller.call('get', path, status='*')
        assert answer.status_int in (200, 204, 404), answer.text
        assert [each for each in sent if not _reads(each)] == [], query


@pytest.mark.parametrize('path', ['explain', '{uuid}/explain'])
def test_who_asks_why_writes_nothing(cloud, placement, known, member, path):
    body = {} if '{' in path else {'resources': {'FPGA': 1}}

    with cloud.statements(of_all=False) as sent:
        member.post(
            f'/v2/device_contexts/{path}'.format(**known), body, status=200
        )

    assert sent
    assert [each for each in sent if not _reads(each)] == []


def _reads(statement):
    return statement.startswith(('SELECT ', '(SELECT ', 'WITH '))
