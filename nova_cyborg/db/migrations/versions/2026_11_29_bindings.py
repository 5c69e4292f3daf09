# SPDX-License-Identifier: Apache-2.0

"""Bindings: on which nodes servers have devices.

A link said so with the generation of the attempt that had made it; below zero
if it was on the node that its server was being evacuated from.
"""

import dataclasses
import typing as ty

import sqlalchemy as sa
from alembic import op

revision = 'b7c2d9e4f051'
down_revision = '8a5d0e2b6f14'


_metadata = sa.MetaData()
_bindings = sa.Table(
    'device_bindings',
    _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('allocation_id', sa.Integer),
    sa.Column('node', sa.String(255)),
    sa.Column('generation', sa.Integer),
    sa.Column('state', sa.String(16)),
    sa.Column('active_of', sa.Integer),
)
_links = sa.Table(
    'device_context_arqs',
    _metadata,
    sa.Column('arq_uuid', sa.String(36), primary_key=True),
    sa.Column('device_context_id', sa.Integer),
    sa.Column('generation', sa.Integer),
    sa.Column('binding_id', sa.Integer),
)
_contexts = sa.Table(
    'device_contexts',
    _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('allocation_id', sa.Integer),
)
_arqs = sa.Table(
    'extended_accelerator_requests',
    _metadata,
    sa.Column('uuid', sa.String(36), primary_key=True),
    sa.Column('hostname', sa.String(255)),
)


def upgrade() -> None:
    """Create the table, and make the bindings of what there is."""
    op.create_table(
        'device_bindings',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column(
            'allocation_id',
            sa.Integer,
            sa.ForeignKey('device_allocations.id'),
            nullable=False,
            index=True,
        ),
        sa.Column('node', sa.String(255), nullable=False),
        sa.Column('generation', sa.Integer, nullable=False),
        sa.Column('migration_id', sa.String(36)),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('active_of', sa.Integer, unique=True),
    )
    op.add_column('device_context_arqs', sa.Column('binding_id', sa.Integer))
    _make_bindings()
    with op.batch_alter_table('device_context_arqs') as table:
        table.alter_column(
            'binding_id', existing_type=sa.Integer, nullable=False
        )
        table.create_foreign_key(
            'fk_device_context_arqs_binding_id',
            'device_bindings',
            ['binding_id'],
            ['id'],
        )
        table.create_index(
            op.f('ix_device_context_arqs_binding_id'), ['binding_id']
        )
        table.drop_column('generation')


def _make_bindings() -> None:
    connection = op.get_bind()
    if connection.execute(sa.select(_links).limit(1)).first() is None:
        # A new database: Cyborg's tables may come later.
        return
    connection.execute(sa.delete(_links).where(~_is_used()))
    for key, binding in _read(connection).items():
        allocation_id, generation = key
        made: ty.Any = connection.execute(
            sa.insert(_bindings).values(
                allocation_id=allocation_id,
                node=binding.node,
                generation=max(generation, -1 - generation),
                state=binding.state,
                active_of=allocation_id if binding.state == 'active' else None,
            )
        )
        connection.execute(
            sa.update(_links)
            .where(_links.c.arq_uuid.in_(binding.arq_ids))
            .values(binding_id=made.inserted_primary_key[0])
        )


def _is_used() -> sa.ColumnElement[bool]:
    """Say of a link that it has an ARQ, and its device context a server."""
    known = sa.select(_arqs.c.uuid).where(_arqs.c.uuid == _links.c.arq_uuid)
    held = sa.select(_contexts.c.id).where(
        _contexts.c.id == _links.c.device_context_id,
        _contexts.c.allocation_id.is_not(None),
    )
    return sa.and_(known.exists(), held.exists())


@dataclasses.dataclass
class _Binding:
    node: str
    state: str
    arq_ids: list[str] = dataclasses.field(default_factory=list)


def _read(connection: sa.Connection) -> dict[tuple[int, int], _Binding]:
    """Return what each attempt has bound, by allocation and generation."""
    rows = connection.execute(
        sa.select(
            _contexts.c.allocation_id,
            _links.c.generation,
            _arqs.c.hostname,
            _links.c.arq_uuid,
        )
        .join(_contexts, _contexts.c.id == _links.c.device_context_id)
        .join(_arqs, _arqs.c.uuid == _links.c.arq_uuid)
    ).all()
    found: dict[tuple[int, int], _Binding] = {}
    for allocation_id, generation, node, arq_id in rows:
        state = 'leaving' if generation < 0 else 'inactive'
        binding = found.setdefault(
            (allocation_id, generation), _Binding(node or '', state)
        )
        binding.arq_ids.append(arq_id)
    # The last one is active; of those that are left, if there is no other.
    last: dict[int, int] = {}
    for allocation_id, generation in found:
        known = last.setdefault(allocation_id, generation)
        if _rank(generation) > _rank(known):
            last[allocation_id] = generation
    for key in last.items():
        found[key].state = 'active'
    return found


def _rank(generation: int) -> tuple[bool, int]:
    return generation >= 0, max(generation, -1 - generation)
