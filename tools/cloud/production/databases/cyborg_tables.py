# SPDX-License-Identifier: Apache-2.0

"""Cyborg's tables where its own commands cannot make them: on PostgreSQL.

Both the migrations and ``cyborg-dbsync create_schema`` make columns of an
enumerated type that has no name, which PostgreSQL wants. With names given,
``create_schema`` makes what the migrations would have made.
"""

import cyborg.cmd  # noqa: F401 (it selects oslo.service's threads)
import sqlalchemy
from cyborg.common import service
from cyborg.db import migration
from cyborg.db.sqlalchemy import models

from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Make the tables, unless they are there."""
    config = str(state.config('cyborg'))
    service.prepare_service(['cyborg-dbsync', '--config-file', config])
    if migration.version() is None:
        _name_types()
        migration.create_schema()


def _name_types() -> None:
    for table in models.Base.metadata.tables.values():
        for column in table.columns:
            kind = column.type
            if isinstance(kind, sqlalchemy.Enum) and kind.name is None:
                kind.name = f'{table.name}_{column.name}'
