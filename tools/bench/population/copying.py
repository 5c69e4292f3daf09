# SPDX-License-Identifier: Apache-2.0

"""Rows of tables, and copies of them."""

from __future__ import annotations

import collections.abc
import typing as ty

import sqlalchemy as sa

Row: ty.TypeAlias = dict[str, ty.Any]

# Rows of one statement.
_PORTION = 500


class Database:
    """A service's database.

    :param url: its address.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        if self._engine.dialect.name == 'sqlite':
            sa.event.listen(self._engine, 'connect', _check_references)
        self._metadata = sa.MetaData()
        self._names = frozenset(sa.inspect(self._engine).get_table_names())

    def rows(self, table: str, **wanted: ty.Any) -> list[Row]:
        """Read rows.

        :param table: the table's name.
        :param wanted: values of columns that they have.
        :returns: the rows, those of no such table are none.
        """
        if table not in self._names:
            return []
        found = self._table(table)
        query = sa.select(found).filter_by(**wanted)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def rows_of_all(self, column: str, value: str) -> dict[str, list[Row]]:
        """Read the rows of all tables that have a column.

        :param column: the column's name.
        :param value: what is there in the rows.
        :returns: the rows by name of the table, where there are any.
        """
        inspector = sa.inspect(self._engine)
        found = {
            name: self.rows(name, **{column: value})
            for name in sorted(self._names)
            if column in {each['name'] for each in inspector.get_columns(name)}
        }
        return {name: rows for name, rows in found.items() if rows}

    def next_id(self, table: str) -> int:
        """Return the first row id that no row of a table has.

        :param table: the table's name.
        """
        highest = sa.func.max(self._table(table).c.id)
        with self._engine.connect() as connection:
            return int(connection.scalar(sa.select(highest)) or 0) + 1

    def insert(self, table: str, rows: collections.abc.Iterable[Row]) -> None:
        """Insert rows.

        :param table: the table's name.
        :param rows: the rows, all with the same columns.
        """
        found = list(rows)
        with self._engine.begin() as connection:
            for begin in range(0, len(found), _PORTION):
                connection.execute(
                    sa.insert(self._table(table)),
                    found[begin : begin + _PORTION],
                )

    def _table(self, name: str) -> sa.Table:
        return sa.Table(name, self._metadata, autoload_with=self._engine)


def _check_references(connection: ty.Any, _record: object) -> None:
    """Have SQLite refuse what refers to no row, as other databases do."""
    connection.execute('PRAGMA foreign_keys = ON')


def renamed(
    row: Row, names: collections.abc.Mapping[str, str], **values: ty.Any
) -> Row:
    """Copy a row for something of another name.

    :param row: the row; its own ``id`` is left out, for the database to
        choose.
    :param names: what texts name, and what they are to name instead.
    :param values: what is to be in columns.
    :returns: the copy.
    """
    copy = {
        column: _renamed(value, names)
        for column, value in row.items()
        if column != 'id'
    }
    return copy | values


def _renamed(
    value: ty.Any, names: collections.abc.Mapping[str, str]
) -> ty.Any:
    if not isinstance(value, str):
        return value
    for old, new in names.items():
        value = value.replace(old, new)
    return value
