# SPDX-License-Identifier: Apache-2.0

"""Which alternative of a group was chosen for an accelerator request."""

import sqlalchemy as sa
from alembic import op

revision = 'e3b60c9f8a25'
down_revision = '9a4d7f2c6b13'


def upgrade() -> None:
    """Add the column; what is bound has the only alternative that there was.

    So has what a cyborg-api of an earlier release binds meanwhile.
    """
    op.add_column(
        'device_context_arqs',
        sa.Column(
            'alternative', sa.Integer, nullable=False, server_default='0'
        ),
    )
