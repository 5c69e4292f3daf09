# SPDX-License-Identifier: Apache-2.0

"""Device contexts that servers get and lose while they exist; their tags."""

import sqlalchemy as sa
from alembic import op

revision = '3c8e5a7b1d42'
down_revision = '6d9f2c4a7e18'


def upgrade() -> None:
    """Add the columns; nothing is attached or detached yet."""
    for column in (
        sa.Column('tag', sa.String(80)),
        sa.Column('transition', sa.String(16)),
        sa.Column('transition_caller', sa.String(36)),
        sa.Column('transition_since', sa.DateTime),
        sa.Column('fault', sa.Text),
    ):
        op.add_column('device_contexts', column)
