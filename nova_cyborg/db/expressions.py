# SPDX-License-Identifier: Apache-2.0

"""SQL that the databases say differently."""

import collections.abc
import typing as ty

import sqlalchemy as sa
from sqlalchemy.ext import compiler
from sqlalchemy.sql import functions


class Exactly(sa.ColumnElement[bool]):
    """Whether a column has a text, and no other that counts as equal.

    To MariaDB, texts that differ in case or accents only are equal, and all
    emojis are; some texts cannot be compared at all with what is stored in
    fewer bytes a character.

    :param column: the column.
    :param text: the text.
    """

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: ty.Any, text: str) -> None:
        self.equal = column == text
        self.bytes_equal = sa.cast(column, sa.LargeBinary) == text.encode()


@compiler.compiles(Exactly)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_exactly(
    element: Exactly, compiling: ty.Any, **options: ty.Any
) -> str:
    return str(compiling.process(element.equal, **options))


@compiler.compiles(Exactly, 'mysql', 'mariadb')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_exactly_for_mariadb(
    element: Exactly, compiling: ty.Any, **options: ty.Any
) -> str:
    return str(compiling.process(element.bytes_equal, **options))


def exactly(
    column: ty.Any, text: str
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    """Say that a column has a text; by its index, as far as that goes.

    :param column: the column.
    :param text: the text.
    :returns: conditions, all of which must hold.
    """
    if text.isascii():
        # Others, MariaDB may not be able to compare with what it has stored.
        yield column == text
    yield Exactly(column, text)


class EpochSeconds(sa.ColumnElement[int]):
    """The time by the clock of the database, in seconds since 1970."""

    inherit_cache = True
    type = sa.BigInteger()


@compiler.compiles(EpochSeconds)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_epoch(
    _element: EpochSeconds, _compiling: ty.Any, **_options: ty.Any
) -> str:
    return "CAST(strftime('%s', 'now') AS BIGINT)"


@compiler.compiles(EpochSeconds, 'mysql', 'mariadb')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_epoch_for_mariadb(
    _element: EpochSeconds, _compiling: ty.Any, **_options: ty.Any
) -> str:
    return 'UNIX_TIMESTAMP()'


@compiler.compiles(EpochSeconds, 'postgresql')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_epoch_for_postgresql(
    _element: EpochSeconds, _compiling: ty.Any, **_options: ty.Any
) -> str:
    return 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)'


class as_in_cyborg(functions.FunctionElement[str]):  # noqa: N801 - a function
    """A UUID of one of our tables, to be looked up in one of Cyborg's.

    MariaDB looks nothing up by an index whose texts have fewer bytes a
    character than what is looked for; Cyborg's tables may be such.
    """

    inherit_cache = True
    type = sa.String()


@compiler.compiles(as_in_cyborg)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_as_in_cyborg(
    element: as_in_cyborg, compiling: ty.Any, **options: ty.Any
) -> str:
    return str(compiling.process(element.clauses, **options))


@compiler.compiles(as_in_cyborg, 'mysql', 'mariadb')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_as_in_cyborg_for_mariadb(
    element: as_in_cyborg, compiling: ty.Any, **options: ty.Any
) -> str:
    inner = compiling.process(element.clauses, **options)
    return f'CONVERT({inner} USING utf8mb3)'


class unindexed(functions.FunctionElement[str]):  # noqa: N801 - a function
    """A column by no index of which rows are to be looked for.

    SQLite does not know that there may be many. The others do.
    """

    inherit_cache = True
    type = sa.String()


@compiler.compiles(unindexed)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_unindexed(
    element: unindexed, compiling: ty.Any, **options: ty.Any
) -> str:
    return str(compiling.process(element.clauses, **options))


@compiler.compiles(unindexed, 'sqlite')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_unindexed_for_sqlite(
    element: unindexed, compiling: ty.Any, **options: ty.Any
) -> str:
    return f'+{compiling.process(element.clauses, **options)}'
