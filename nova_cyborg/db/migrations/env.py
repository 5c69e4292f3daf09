# SPDX-License-Identifier: Apache-2.0

"""Alembic's environment, run by ``nova_cyborg.db.migrations.migration``."""

from alembic import context

from nova_cyborg.db import tables
from nova_cyborg.db.migrations import migration

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=tables.Base.metadata,
    version_table=migration.VERSION_TABLE,
    # SQLite cannot alter a table: alembic makes it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
