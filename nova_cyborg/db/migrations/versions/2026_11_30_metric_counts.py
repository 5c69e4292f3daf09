# SPDX-License-Identifier: Apache-2.0

"""How often something has happened, for metrics."""

import sqlalchemy as sa
from alembic import op

revision = 'c60e8a5d2f17'
down_revision = '91d4b7f0c3e6'


def upgrade() -> None:
    """Create the table; nothing is counted yet."""
    op.create_table(
        'metric_counts',
        sa.Column('name', sa.String(32), primary_key=True),
        sa.Column('label', sa.String(96), primary_key=True),
        sa.Column('times', sa.BigInteger, nullable=False),
        sa.Column('seconds', sa.Double, nullable=False),
    )
