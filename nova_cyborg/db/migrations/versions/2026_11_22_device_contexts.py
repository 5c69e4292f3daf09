# SPDX-License-Identifier: Apache-2.0

"""Device contexts, allocations, and their accelerator requests."""

import sqlalchemy as sa
from alembic import op

revision = '5d0c51f7a001'
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _create_allocations()
    _create_contexts()
    op.create_table(
        'device_context_arqs',
        sa.Column('arq_uuid', sa.String(36), primary_key=True),
        sa.Column(
            'device_context_id',
            sa.Integer,
            sa.ForeignKey('device_contexts.id'),
            nullable=False,
            index=True,
        ),
        sa.Column('group_number', sa.Integer, nullable=False),
        sa.Column('generation', sa.Integer, nullable=False),
    )


def _create_allocations() -> None:
    op.create_table(
        'device_allocations',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('server_id', sa.String(36), nullable=False, unique=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('generation', sa.Integer, nullable=False),
        sa.Column('operation', sa.String(255)),
        sa.Column('caller', sa.String(36), nullable=False),
        sa.Column('fault', sa.Text),
        sa.Column('created_at', sa.DateTime, nullable=False),
        sa.Column('updated_at', sa.DateTime),
    )


def _create_contexts() -> None:
    op.create_table(
        'device_contexts',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False, unique=True),
        sa.Column('project_id', sa.String(255), nullable=False, index=True),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('name', sa.String(255)),
        sa.Column('description', sa.Text),
        sa.Column('groups', sa.Text, nullable=False),
        sa.Column('device_profile_id', sa.String(36)),
        sa.Column('delete_on_termination', sa.Boolean, nullable=False),
        sa.Column(
            'allocation_id',
            sa.Integer,
            sa.ForeignKey('device_allocations.id'),
            index=True,
        ),
        sa.Column('created_at', sa.DateTime, nullable=False),
        sa.Column('updated_at', sa.DateTime),
    )
