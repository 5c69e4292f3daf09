# SPDX-License-Identifier: Apache-2.0

"""What has happened to device contexts."""

import sqlalchemy as sa
from alembic import op

revision = '91d4b7f0c3e6'
down_revision = '7a1d4c9e2b58'

# SQLite counts up only what is an INTEGER to it.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    """Create the table; of what was before, nothing is known."""
    op.create_table(
        'device_context_events',
        sa.Column('id', _ROW_ID, primary_key=True),
        sa.Column('uuid', sa.String(36), nullable=False, unique=True),
        sa.Column('context_uuid', sa.String(36), nullable=False),
        sa.Column('owner_id', sa.String(255), nullable=False),
        sa.Column('action', sa.String(16), nullable=False),
        sa.Column('outcome', sa.String(16), nullable=False),
        sa.Column('server_id', sa.String(36)),
        sa.Column('host', sa.String(255)),
        sa.Column('message', sa.Text),
        sa.Column('user_id', sa.String(255)),
        sa.Column('project_id', sa.String(255)),
        sa.Column('request_id', sa.String(255)),
        sa.Column('created_at', sa.DateTime, nullable=False),
    )
    op.create_index(
        'ix_device_context_events_context_uuid_id',
        'device_context_events',
        ['context_uuid', 'id'],
    )
    op.create_index(
        op.f('ix_device_context_events_created_at'),
        'device_context_events',
        ['created_at'],
    )
