# SPDX-License-Identifier: Apache-2.0

"""An index for the events of a project, of which there may be too many."""

from alembic import op

revision = 'a8d2f6c13e90'
down_revision = 'b7d2e5a90c46'


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        'ix_device_context_events_owner_id_id',
        'device_context_events',
        ['owner_id', 'id'],
    )
