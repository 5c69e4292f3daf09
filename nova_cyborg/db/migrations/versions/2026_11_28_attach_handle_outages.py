# SPDX-License-Identifier: Apache-2.0

"""Why attach handles are not given."""

import sqlalchemy as sa
from alembic import op

revision = '8e27a90f3b02'
down_revision = '5d0c51f7a001'


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        'attach_handle_outages',
        sa.Column('handle_uuid', sa.String(36), primary_key=True),
        sa.Column('reason', sa.String(32), primary_key=True),
        sa.Column('created_at', sa.DateTime, nullable=False),
    )
