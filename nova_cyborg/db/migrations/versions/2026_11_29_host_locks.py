# SPDX-License-Identifier: Apache-2.0

"""Rows for who gives slots of a host to wait for."""

import sqlalchemy as sa
from alembic import op

revision = '8a5d0e2b6f14'
down_revision = '3f7b1e5d8c92'


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        'host_locks',
        sa.Column('hostname', sa.String(255), primary_key=True),
        sa.Column('times', sa.Integer, nullable=False),
    )
