# SPDX-License-Identifier: Apache-2.0

"""How large the groups of device contexts are."""

import sqlalchemy as sa
from alembic import op

revision = '3f7b1e5d8c92'
down_revision = 'c41f6a0d9e57'


def upgrade() -> None:
    """Add the column, and fill it for what there is."""
    op.add_column(
        'device_contexts',
        sa.Column(
            'groups_size', sa.Integer, nullable=False, server_default='0'
        ),
    )
    contexts = sa.table(
        'device_contexts', sa.column('groups'), sa.column('groups_size')
    )
    # All of it is ASCII: a character is a byte.
    op.execute(
        sa.update(contexts).values(
            groups_size=sa.func.length(contexts.c.groups)
        )
    )
