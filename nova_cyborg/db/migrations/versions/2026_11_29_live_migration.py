# SPDX-License-Identifier: Apache-2.0

"""What device contexts say of the live migration of their servers."""

import sqlalchemy as sa
from alembic import op

revision = '6d9f2c4a7e18'
down_revision = 'b7c2d9e4f051'


def upgrade() -> None:
    """Add the column; what there is refuses, as Nova has done so far."""
    op.add_column(
        'device_contexts',
        sa.Column(
            'live_migration',
            sa.String(16),
            nullable=False,
            server_default='refuse',
        ),
    )
