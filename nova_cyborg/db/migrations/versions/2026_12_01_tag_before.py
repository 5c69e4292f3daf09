# SPDX-License-Identifier: Apache-2.0

"""The tag of a device context before the one that it is attached with."""

import sqlalchemy as sa
from alembic import op

revision = 'c5e9a17f3b24'
down_revision = 'a8d2f6c13e90'


def upgrade() -> None:
    """Create the column."""
    op.add_column('device_contexts', sa.Column('tag_before', sa.String(80)))
