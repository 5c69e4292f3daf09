# SPDX-License-Identifier: Apache-2.0

"""SQL that the databases say differently."""

import typing as ty

import sqlalchemy as sa
from sqlalchemy.ext import compiler


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
