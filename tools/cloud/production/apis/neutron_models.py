# SPDX-License-Identifier: Apache-2.0

"""Loaded by each worker process of Neutron's API, before its application.

To list ports, Neutron 29 names relationships of theirs that SQLAlchemy makes
with the first query that it is asked for; in a worker whose first request is
that one, this and all like it fail, until something else is asked of it.
"""

from neutron.db.migration.models import head  # noqa: F401
from sqlalchemy import orm

orm.configure_mappers()
