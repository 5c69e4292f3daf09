# SPDX-License-Identifier: Apache-2.0

"""The document is served to whoever has a token, and what it says is so."""

import pytest

from nova_cyborg.api.document import building, nouns
from tests.functional.api import cyborg

PATH = '/v2/device_context_openapi'
QUERIES = [
    (operation, name)
    for operation in nouns.operations()
    for name in operation.query['properties']
]


@pytest.mark.parametrize(
    ('project', 'roles'),
    [
        (cyborg.PROJECT, ['member', 'reader']),
        (cyborg.PROJECT, ['reader']),
        (cyborg.PROJECT, ['nonesuch']),
        ('', ['reader']),
    ],
    ids=['member', 'reader', 'no role', 'no project'],
)
def test_any_token_will_do(cloud, project, roles):
    response = cyborg.Caller(cloud.api, project, roles).get(PATH, status=200)

    assert response.json == building.document()
    assert response.content_type == 'application/json'


def test_who_has_it_is_not_sent_it_again(member):
    response = member.get(PATH)
    assert response.headers['Cache-Control'] == 'private, max-age=3600'
    etag = response.headers['ETag']

    again = member.get(PATH, headers={'If-None-Match': etag}, status=304)
    other = member.get(PATH, headers={'If-None-Match': '"0"'}, status=200)

    assert again.body == b''
    assert again.headers['ETag'] == etag
    assert other.body == response.body


def test_no_statement_is_sent_for_it(cloud, member):
    member.get(PATH)

    with cloud.statements() as sent:
        member.get(PATH)

    assert not sent


@pytest.mark.parametrize('path', ['/', '/v2', '/v2/'])
def test_the_extension_is_named_where_the_versions_are(cloud, member, path):
    stock = cyborg.Caller(cloud.stock_api()).get(path).json
    found = member.get(path).json

    (extension,) = found.pop('extensions')
    assert found == stock
    assert extension.pop('description')
    (link,) = extension.pop('links')
    assert extension == {'name': 'nova_cyborg', 'version': building.VERSION}
    assert link['rel'] == 'service-desc'
    assert member.get(link['href']).json == building.document()


def test_where_cyborg_is_mounted(member):
    """The server that the document names is found from its own URL."""
    document = member.get(PATH).json

    assert document['servers'][0]['url'] == '../'
    assert all(path.startswith('/v2/') for path in document['paths'])


@pytest.mark.parametrize(
    ('operation', 'name'),
    QUERIES,
    ids=[f'{operation.name}-{name}' for operation, name in QUERIES],
)
def test_a_parameter_is_one_that_the_handler_knows(cloud, operation, name):
    caller = cyborg.Caller(
        cloud.api, roles=('admin', 'member', 'reader'), service=True
    )
    path = operation.path
    for parameter in ('{uuid}', '{server_id}'):
        path = path.replace(parameter, cyborg.UNKNOWN)

    response = caller.call(
        operation.method.lower(), f'{path}?{name}=%00', expect_errors=True
    )

    # What is wrong is the value.
    assert 'there is no such field' not in response.text
