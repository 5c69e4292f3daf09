# SPDX-License-Identifier: Apache-2.0

"""Names and descriptions in any script, wherever they go."""

import urllib.parse
from unittest import mock

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from sqlalchemy.dialects import mysql, sqlite

from nova_cyborg.db import expressions, session, tables
from tests.functional.api import cyborg

NAMES = ['Größe', '漢字 速い', 'עברית', 'fast 😀', "O'Reilly & \\ %_"]


@pytest.mark.parametrize('name', NAMES)
def test_it_comes_back_as_it_was_given(member, name):
    uuid = member.create_one(name=name, description=name)

    for found in (member.show(uuid), member.update(uuid, name=name)):
        assert found.json['name'] == found.json['description'] == name


def test_the_longest(member):
    uuid = member.create_one(name='😀' * 255, description='😀' * 1024)

    shown = member.show(uuid).json
    assert shown['name'] == '😀' * 255
    assert shown['description'] == '😀' * 1024


def test_the_location_and_the_links(member):
    response = member.create(name='漢字', resources={'FPGA': 1})

    assert response.headers['Location'].isascii()
    member.create_one(name='漢字')
    response = member.list(f'?name={urllib.parse.quote("漢字")}&limit=1')
    (link,) = response.json['device_contexts_links']
    assert link['href'].isascii()
    (second,) = member.get(link['href']).json['device_contexts']
    assert second['name'] == '漢字'


@pytest.mark.parametrize('name', NAMES)
def test_they_are_found_exactly(member, name):
    for made in (*NAMES, 'Grösse', 'größe', 'fast 😁'):
        member.create_one(name=made)

    found = member.list(f'?name={urllib.parse.quote(name)}')

    assert [each['name'] for each in found.json['device_contexts']] == [name]


def test_they_are_sorted(member):
    made = ('漢', '😁', 'ä', 'Z', 'a', '😀', 'z')
    for name in made:
        member.create_one(name=name)

    found = member.list('?sort_key=name').json['device_contexts']

    # In the order of the database: to some, z and Z are equal, and emojis.
    names = [each['name'] for each in found]
    assert sorted(names) == sorted(made)
    assert names.index('a') < names.index('z') < names.index('漢')
    assert names_in_pages(member, '?sort_key=name&limit=1') == names


def names_in_pages(member, query):
    found, marker = [], ''
    while page := member.list(query + marker).json['device_contexts']:
        found += [each['name'] for each in page]
        marker = f'&marker={page[-1]["uuid"]}'
    return found


def test_a_database_that_stores_fewer_characters(cloud, member, monkeypatch):
    monkeypatch.setattr(
        session, 'last_character', lambda context, table: '\uffff'
    )
    uuid = member.create_one(name='漢字', description='Größe')

    for fields in ({'name': 'fast 😀'}, {'description': 'fast 😀'}):
        refusals = (
            member.create(resources={'FPGA': 1}, status=400, **fields),
            member.update(uuid, status=400, **fields),
        )
        for error in map(cyborg.error_of, refusals):
            assert error['code'] == 'nova_cyborg.invalid_request'
            assert f'Invalid {next(iter(fields))}: it has' in error['detail']
    assert cloud.count(tables.DeviceContext) == 1
    assert member.list('?name=%F0%9F%98%80').json == {'device_contexts': []}


@pytest.mark.parametrize(
    ('found', 'last'),
    [
        (['utf8mb4'], '\U0010ffff'),
        (['utf8mb4', 'utf8mb3'], '\uffff'),
        (['utf8'], '\uffff'),
        (['latin1'], '\x7f'),
    ],
)
def test_what_mariadb_stores_is_asked(cloud, monkeypatch, found, last):
    database = mock.Mock(dialect=mysql.dialect())
    monkeypatch.setattr(session, 'engine', lambda: database)
    monkeypatch.setattr(
        session, 'rows', lambda context, query: [(name,) for name in found]
    )

    context = cyborg_context.get_admin_context()
    assert session.last_character(context, tables.DeviceContext) == last


@pytest.mark.parametrize(
    'column',
    [
        tables.DeviceAllocation.fault,
        tables.DeviceContext.fault,
        tables.HandleOutage.detail,
        tables.DeviceContextEvent.message,
        tables.Lease.report,
    ],
    ids=str,
)
def test_what_services_say_is_stored_all_the_same(column):
    def bound(dialect, value):
        process = column.type.dialect_impl(dialect).bind_processor(dialect)
        return process(value) if process else value

    for said in (None, 'Größe', '漢字'):
        assert bound(mysql.dialect(), said) == said
    assert bound(mysql.dialect(), 'It burns 🔥!') == 'It burns \ufffd!'
    assert bound(sqlite.dialect(), 'It burns 🔥!') == 'It burns 🔥!'


def test_mariadb_compares_bytes():
    # Its collations take a, A and ä for the same, and all emojis.
    compiled = (
        sa.select(tables.DeviceContext.id)
        .where(expressions.Exactly(tables.DeviceContext.name, 'ä'))
        .compile(dialect=mysql.dialect())
    )

    assert 'CAST(device_contexts.name AS BINARY) = ' in str(compiled)
    assert 'ä'.encode() in compiled.params.values()
