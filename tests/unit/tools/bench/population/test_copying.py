# SPDX-License-Identifier: Apache-2.0

"""Rows are copied with other names in them."""

import sqlite3

import pytest
from sqlalchemy import exc

from tools.bench.population import copying


@pytest.fixture
def database(tmp_path):
    path = tmp_path / 'any.sqlite'
    with sqlite3.connect(path) as connection:
        connection.executescript(
            'CREATE TABLE servers (id INTEGER PRIMARY KEY, uuid, spec);'
            'CREATE TABLE past (id INTEGER PRIMARY KEY, uuid TEXT);'
            'CREATE TABLE cards (of_server REFERENCES servers (id));'
            'INSERT INTO servers VALUES (7, \'one\', \'{"of": "one"}\');'
            "INSERT INTO past VALUES (1, 'other');"
        )
    connection.close()
    return copying.Database(f'sqlite:///{path}')


def test_a_copy_names_what_it_is_of():
    row = {'id': 7, 'uuid': 'one', 'spec': '{"of": "one"}', 'n': 3, 'x': None}

    copy = copying.renamed(row, {'one': 'two'}, n=4)

    assert copy == {'uuid': 'two', 'spec': '{"of": "two"}', 'n': 4, 'x': None}


def test_rows_are_read_and_inserted(database):
    (row,) = database.rows('servers', uuid='one')
    copies = [copying.renamed(row, {'one': f'{n}'}) for n in range(1200)]

    database.insert('servers', copies)

    assert len(database.rows('servers')) == 1201
    assert database.rows('servers', uuid='1199')[0]['spec'] == '{"of": "1199"}'
    assert database.next_id('servers') == 7 + 1201


def test_all_tables_that_have_something(database):
    found = database.rows_of_all('uuid', 'one')

    assert [row['id'] for row in found['servers']] == [7]
    assert 'past' not in found


def test_of_no_such_table_there_are_no_rows(database):
    assert database.rows('nothing', uuid='one') == []


def test_what_refers_to_no_row_is_refused(database):
    database.insert('cards', [{'of_server': 7}])

    with pytest.raises(exc.IntegrityError):
        database.insert('cards', [{'of_server': 8}])
