# SPDX-License-Identifier: Apache-2.0

"""Commands that work on the database of Cyborg, with its configuration."""

import collections.abc
import logging
import sys

from cyborg.common import service
from cyborg.conf import CONF
from oslo_config import cfg
from oslo_log import log

from nova_cyborg import exception
from nova_cyborg.db import session


def run(
    name: str,
    files: collections.abc.Iterable[str],
    work: collections.abc.Callable[[], int],
    hint: str,
) -> int:
    """Read the configuration of Cyborg, and do something with its database.

    :param name: the name of the command.
    :param files: its configuration files; none for Cyborg's usual places.
    :param work: does it; returns the exit status.
    :param hint: how a configuration file is named to the command.
    :returns: the exit status; 2 if there is no database to be worked on.
    """
    # What a command prints is for programs, too: the log goes elsewhere.
    log.register_options(CONF)
    CONF.set_default('use_stderr', True)
    try:
        service.prepare_service([name, *(f'--config-file={f}' for f in files)])
    except cfg.Error as error:
        print(error, file=sys.stderr)
        return 2
    # What it says with a traceback, of some failures of some databases, is
    # said below.
    logging.getLogger('oslo_db.sqlalchemy.exc_filters').setLevel(
        logging.CRITICAL
    )
    try:
        session.named_engine()
        return work()
    except exception.NoDatabase as error:
        print(f'{error} {hint}', file=sys.stderr)
        return 2
    except session.FAILURES as error:
        print(
            f'The database of Cyborg has failed: {session.reason(error)}. '
            'Check the [database] section of cyborg.conf, and that the '
            'tables are there: nova-cyborg-manage db version.',
            file=sys.stderr,
        )
        return 2
