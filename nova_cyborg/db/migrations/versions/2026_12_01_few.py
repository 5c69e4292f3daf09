# SPDX-License-Identifier: Apache-2.0

"""Indexes of what few device contexts have: a fault, or a transition."""

import sqlalchemy as sa
from alembic import op

revision = 'b7d2e5a90c46'
down_revision = '4c7e1b9d3a80'

_IS_FAULTY = 'fault IS NOT NULL'
_IS_CHANGING = 'transition IS NOT NULL'


def upgrade() -> None:
    """Create the indexes."""
    op.create_index(
        'ix_device_contexts_transition',
        'device_contexts',
        ['transition'],
        sqlite_where=sa.text(_IS_CHANGING),
        postgresql_where=sa.text(_IS_CHANGING),
    )
    op.create_index(
        'ix_device_allocations_faulty',
        'device_allocations',
        ['id'],
        sqlite_where=sa.text(_IS_FAULTY),
        postgresql_where=sa.text(_IS_FAULTY),
    )
