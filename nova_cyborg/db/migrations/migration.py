# SPDX-License-Identifier: Apache-2.0

"""Upgrade of the project's own schema, beside Cyborg's.

The revisions are in :mod:`nova_cyborg.db.migrations`; which one a database
is at stands in a version table of our own, so that Cyborg's alembic tree and
ours do not see each other.
"""

import logging

import sqlalchemy as sa
from alembic import command, config
from alembic import migration as alembic_migration
from alembic import script as alembic_script

from nova_cyborg import exception

LOG = logging.getLogger(__name__)

VERSION_TABLE = 'nova_cyborg_alembic_version'


def upgrade(engine: sa.Engine, revision: str = 'head') -> None:
    """Bring the schema to a revision; does nothing if it is there.

    :param engine: an engine on Cyborg's database.
    :param revision: an alembic revision, or ``head`` for the newest.
    """
    with engine.begin() as connection:
        alembic_config = _config()
        alembic_config.attributes['connection'] = connection
        command.upgrade(alembic_config, revision)


def version(engine: sa.Engine) -> str | None:
    """Tell which revision a database is at.

    :param engine: an engine on Cyborg's database.
    :returns: the alembic revision; None before the first upgrade.
    """
    with engine.connect() as connection:
        context = alembic_migration.MigrationContext.configure(
            connection, opts={'version_table': VERSION_TABLE}
        )
        return context.get_current_revision()


def head() -> str | None:
    """Tell which revision this release needs.

    :returns: the newest alembic revision.
    """
    return alembic_script.ScriptDirectory.from_config(
        _config()
    ).get_current_head()


def check(engine: sa.Engine, service: str) -> None:
    """Check that a database is at the revision that this release needs.

    :param engine: an engine on Cyborg's database.
    :param service: the service that cannot start otherwise.
    :raises PluginActivationFailed: if it is not, after logging CRITICAL.
    """
    found, needed = version(engine), head()
    if found == needed:
        return
    error = exception.PluginActivationFailed(
        reason=f'the schema of its tables is at {found}, {needed} is needed. '
        'Run "nova-cyborg-manage db upgrade" with the --config-file of '
        f'cyborg-api, then start {service} again'
    )
    LOG.critical('%s', error)
    raise error


def _config() -> config.Config:
    alembic_config = config.Config()
    alembic_config.set_main_option(
        'script_location', 'nova_cyborg.db:migrations'
    )
    return alembic_config
