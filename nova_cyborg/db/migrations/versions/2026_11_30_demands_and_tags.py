# SPDX-License-Identifier: Apache-2.0

"""What device contexts ask for, by name; their tags; and indexes of lists."""

import json
import typing as ty

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '7a1d4c9e2b58'
down_revision = 'e4a19c6d3f70'

_PORTION = 1000
_INDEXES = (
    ('device_contexts', 'created_at'),
    ('device_contexts', 'updated_at'),
    ('device_contexts', 'device_profile_id'),
    ('device_contexts', 'demands_recorded'),
    ('device_bindings', 'node'),
)

_metadata = sa.MetaData()
_contexts = sa.Table(
    'device_contexts',
    _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('uuid', sa.String(36)),
    sa.Column('groups', sa.Text),
    sa.Column('demands_recorded', sa.Boolean),
)
_demands = sa.Table(
    'device_context_demands',
    _metadata,
    sa.Column('context_uuid', sa.String(36), primary_key=True),
    sa.Column('kind', sa.String(16), primary_key=True),
    sa.Column('name', sa.String(255), primary_key=True),
)


def upgrade() -> None:
    """Create the tables and indexes, and record what there is."""
    op.create_table(
        'device_context_demands',
        _context_uuid(),
        sa.Column('kind', sa.String(16), primary_key=True),
        sa.Column('name', sa.String(255), primary_key=True),
    )
    op.create_index(
        op.f('ix_device_context_demands_kind_name'),
        'device_context_demands',
        ['kind', 'name'],
    )
    tag = sa.LargeBinary().with_variant(
        mysql.VARBINARY(240), 'mysql', 'mariadb'
    )
    op.create_table(
        'device_context_tags',
        _context_uuid(),
        sa.Column('tag', tag, primary_key=True),
    )
    op.create_index(
        op.f('ix_device_context_tags_tag'), 'device_context_tags', ['tag']
    )
    # A cyborg-api of the release before says nothing of it.
    op.add_column(
        'device_contexts',
        sa.Column(
            'demands_recorded',
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
        ),
    )
    for table, column in _INDEXES:
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])
    _record()


def _context_uuid() -> sa.Column[str]:
    # The release before deletes device contexts, and knows of no such rows.
    return sa.Column(
        'context_uuid',
        sa.String(36),
        sa.ForeignKey('device_contexts.uuid', ondelete='CASCADE'),
        primary_key=True,
    )


def _record() -> None:
    connection = op.get_bind()
    after = 0
    while found := _next(connection, after):
        demands = [
            {'context_uuid': uuid, 'kind': kind, 'name': name}
            for _row_id, uuid, groups in found
            for kind, name in sorted(_names(json.loads(groups)))
        ]
        if demands:
            connection.execute(sa.insert(_demands), demands)
        after = found[-1][0]
    connection.execute(sa.update(_contexts).values(demands_recorded=True))


def _next(connection: sa.Connection, after: int) -> list[tuple[int, str, str]]:
    query = sa.select(_contexts.c.id, _contexts.c.uuid, _contexts.c.groups)
    query = query.where(_contexts.c.id > after).order_by(_contexts.c.id)
    rows = connection.execute(query.limit(_PORTION))
    return [row._tuple() for row in rows]


def _names(groups: list[dict[str, ty.Any]]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for group in groups:
        found.update(('class', name) for name in group.get('resources', ()))
        found.update(('trait', name) for name in group.get('required', ()))
    return found
