# SPDX-License-Identifier: Apache-2.0

"""The project's own tables, beside Cyborg's in Cyborg's database.

They have metadata of their own, so that Cyborg's schema tools never see
them, and refer to Cyborg's rows by UUID and without foreign keys: the two
schemas are upgraded independently of each other.
"""

import datetime
import typing as ty

import sqlalchemy as sa
from oslo_utils import timeutils
from sqlalchemy import orm
from sqlalchemy.ext import compiler


class Base(orm.DeclarativeBase):
    """Base of the project's tables."""


class _Timestamps:
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow
    )
    updated_at: orm.Mapped[datetime.datetime | None] = orm.mapped_column(
        onupdate=timeutils.utcnow
    )


class DeviceAllocation(_Timestamps, Base):
    """The set of device contexts that a server holds.

    ``generation`` counts the attempts to bring the server to a host;
    ``operation`` and ``caller`` say who made the last one.
    """

    __tablename__ = 'device_allocations'

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    server_id: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True)
    project_id: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    generation: orm.Mapped[int] = orm.mapped_column(default=0)
    operation: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    caller: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    fault: orm.Mapped[str | None] = orm.mapped_column(sa.Text)


class DeviceContext(_Timestamps, Base):
    """A device context; ``groups`` is JSON in the form of the API."""

    __tablename__ = 'device_contexts'

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True)
    project_id: orm.Mapped[str] = orm.mapped_column(sa.String(255), index=True)
    user_id: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    name: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    description: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    groups: orm.Mapped[str] = orm.mapped_column(sa.Text)
    device_profile_id: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(36)
    )
    delete_on_termination: orm.Mapped[bool] = orm.mapped_column(default=True)
    allocation_id: orm.Mapped[int | None] = orm.mapped_column(
        sa.ForeignKey('device_allocations.id'), index=True
    )


class DeviceContextArq(Base):
    """Which accelerator request of Cyborg stands for which group.

    ``generation`` is that of the attempt that has bound it; below zero, it
    is on the host that the server is being evacuated from.
    """

    __tablename__ = 'device_context_arqs'

    arq_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.String(36), primary_key=True
    )
    device_context_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey('device_contexts.id'), index=True
    )
    group_number: orm.Mapped[int]
    generation: orm.Mapped[int]


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


class Size(sa.FunctionElement[int]):
    """About how many bytes a text of ASCII takes.

    PostgreSQL keeps large ones compressed, and would read and unfold each to
    count its characters; the number of its bytes it knows.

    :param column: the column.
    """

    inherit_cache = True
    type = sa.Integer()
    name = 'length'


@compiler.compiles(Size)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_size(element: Size, compiling: ty.Any, **options: ty.Any) -> str:
    return f'length({compiling.process(element.clauses, **options)})'


@compiler.compiles(Size, 'postgresql')  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_size_for_postgresql(
    element: Size, compiling: ty.Any, **options: ty.Any
) -> str:
    return f'octet_length({compiling.process(element.clauses, **options)})'


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
