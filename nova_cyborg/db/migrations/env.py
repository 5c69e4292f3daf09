# SPDX-License-Identifier: Apache-2.0

"""Alembic's environment; :mod:`nova_cyborg.db.migration` runs it."""

from alembic import context

from nova_cyborg.db import migration, tables

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=tables.Base.metadata,
    version_table=migration.VERSION_TABLE,
    # SQLite cannot alter a table: alembic makes it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
