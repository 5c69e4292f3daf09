# SPDX-License-Identifier: Apache-2.0

"""Taints of devices, what failed of a slot, and who records a report."""

import sqlalchemy as sa
from alembic import op

revision = 'c41f6a0d9e57'
down_revision = '8e27a90f3b02'


def upgrade() -> None:
    """Create the tables, and add the column."""
    op.add_column('attach_handle_outages', sa.Column('detail', sa.Text))
    op.create_table(
        'device_taints',
        sa.Column('uuid', sa.String(36), primary_key=True),
        sa.Column('device_uuid', sa.String(36), nullable=False),
        sa.Column('key', sa.String(64), nullable=False),
        sa.Column('reason', sa.Text, nullable=False),
        sa.Column('source', sa.String(32), nullable=False),
        sa.Column('created_at', sa.DateTime, nullable=False),
        sa.UniqueConstraint(
            'device_uuid', 'key', name='uniq_device_taints0device_uuid0key'
        ),
    )
    op.create_table(
        'host_reports',
        sa.Column('hostname', sa.String(255), primary_key=True),
        sa.Column('recorder', sa.String(36), nullable=False),
        sa.Column('expires_at', sa.DateTime, nullable=False),
    )
