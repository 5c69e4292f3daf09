# SPDX-License-Identifier: Apache-2.0

"""Revisions of device contexts, and keys of requests that may be repeated."""

import sqlalchemy as sa
from alembic import op

revision = '9a4d7f2c6b13'
down_revision = '5b8e2f7c1d64'


def upgrade() -> None:
    """Add the column and the table; nothing has been changed yet.

    A cyborg-api of an earlier release stores device contexts without it.
    """
    op.add_column(
        'device_contexts',
        sa.Column('revision', sa.Integer, nullable=False, server_default='0'),
    )
    op.create_table(
        'idempotency_keys',
        sa.Column('digest', sa.String(64), primary_key=True),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('fingerprint', sa.String(64), nullable=False),
        sa.Column('context_uuids', sa.Text, nullable=False),
        sa.Column('created_at', sa.DateTime, nullable=False),
    )
    for column in ('project_id', 'created_at'):
        op.create_index(
            op.f(f'ix_idempotency_keys_{column}'), 'idempotency_keys', [column]
        )
