# SPDX-License-Identifier: Apache-2.0

"""What device contexts ask for by resource class, and a lock of projects."""

import sqlalchemy as sa
from alembic import op

revision = '5b8e2f7c1d64'
down_revision = 'c60e8a5d2f17'


def upgrade() -> None:
    """Create the tables; they are filled when something is counted."""
    op.create_table(
        'device_context_amounts',
        sa.Column(
            'device_context_uuid',
            sa.String(36),
            # A cyborg-api of an earlier release deletes device contexts, too.
            sa.ForeignKey('device_contexts.uuid', ondelete='CASCADE'),
            primary_key=True,
        ),
        sa.Column('resource_class', sa.String(255), primary_key=True),
        sa.Column('amount', sa.Integer, nullable=False),
    )
    op.create_table(
        'project_locks',
        sa.Column('project_id', sa.String(255), primary_key=True),
        sa.Column('times', sa.Integer, nullable=False),
    )
