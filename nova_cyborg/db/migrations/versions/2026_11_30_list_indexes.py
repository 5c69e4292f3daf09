# SPDX-License-Identifier: Apache-2.0

"""Indexes for each order and filter of lists of device contexts."""

import sqlalchemy as sa
from alembic import op

revision = '4c7e1b9d3a80'
down_revision = 'e3b60c9f8a25'

_CONTEXTS = {
    'project_created': ['project_id', 'created_at', 'id'],
    'project_held': ['project_id', 'allocation_id', 'created_at', 'id'],
    'project_updated': ['project_id', 'updated_at', 'id'],
    'project_name': ['project_id', 'name', 'id'],
    'project_uuid': ['project_id', 'uuid'],
    'project_tag': ['project_id', 'tag', 'created_at', 'id'],
    'name': ['name'],
    'tag': ['tag'],
}

_IS_HELD = 'allocation_id IS NOT NULL'


def upgrade() -> None:
    """Create the indexes."""
    for name, columns in _CONTEXTS.items():
        op.create_index(
            f'ix_device_contexts_{name}', 'device_contexts', columns
        )
    op.create_index(
        'ix_device_contexts_project_created_held',
        'device_contexts',
        ['project_id', 'created_at', 'id', 'allocation_id'],
        sqlite_where=sa.text(_IS_HELD),
        postgresql_where=sa.text(_IS_HELD),
    )
    op.create_index(
        'ix_device_allocations_updated_at',
        'device_allocations',
        ['updated_at'],
    )
