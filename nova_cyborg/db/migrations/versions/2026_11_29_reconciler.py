# SPDX-License-Identifier: Apache-2.0

"""What reconciling remembers: who does it, and what is as Nova says."""

import sqlalchemy as sa
from alembic import op

revision = 'e4a19c6d3f70'
down_revision = '3c8e5a7b1d42'


def upgrade() -> None:
    """Create the tables; nothing is known to be as Nova says yet."""
    op.create_table(
        'leases',
        sa.Column('name', sa.String(64), primary_key=True),
        sa.Column('holder', sa.String(36), nullable=False),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('expires_at', sa.BigInteger, nullable=False),
        sa.Column('good_at', sa.BigInteger),
        sa.Column('report', sa.Text),
    )
    op.create_table(
        'settled_arqs',
        sa.Column('arq_uuid', sa.String(36), primary_key=True),
        sa.Column('settled_at', sa.DateTime, nullable=False),
    )
    op.add_column('device_allocations', sa.Column('settled_at', sa.DateTime))
    op.create_index(
        op.f('ix_device_allocations_settled_at'),
        'device_allocations',
        ['settled_at'],
    )
