# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-manage``: the operator's commands, beside Cyborg's."""

import argparse
import collections.abc
import logging
import sys

from cyborg.common import service
from cyborg.conf import CONF
from oslo_config import cfg
from oslo_log import log

from nova_cyborg import exception
from nova_cyborg.cmd import audit
from nova_cyborg.db import session
from nova_cyborg.db.migrations import migration


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; the process's own if None.
    :returns: the exit status.
    """
    arguments = _parser().parse_args(argv)
    files = arguments.config_file or []
    # What a command prints is for programs, too: the log goes elsewhere.
    log.register_options(CONF)
    CONF.set_default('use_stderr', True)
    try:
        service.prepare_service(
            ['nova-cyborg-manage', *(f'--config-file={f}' for f in files)]
        )
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
        return int(arguments.run(arguments))
    except exception.NoDatabase as error:
        print(
            f'{error} Its name is given before the command: '
            'nova-cyborg-manage --config-file PATH COMMAND.',
            file=sys.stderr,
        )
        return 2
    except session.FAILURES as error:
        print(
            f'The database of Cyborg has failed: {session.reason(error)}. '
            'Check the [database] section of cyborg.conf, and that the '
            'tables are there: nova-cyborg-manage db version.',
            file=sys.stderr,
        )
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='nova-cyborg-manage',
        description='Manage device contexts in the database of Cyborg.',
        epilog='Example: nova-cyborg-manage --config-file '
        '/etc/cyborg/cyborg.conf db upgrade',
    )
    parser.add_argument(
        '--config-file',
        action='append',
        metavar='PATH',
        help='a configuration file of cyborg-api; may be repeated '
        "(default: Cyborg's usual places)",
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    database = commands.add_parser('db', help='look after the tables')
    actions = database.add_subparsers(required=True, metavar='ACTION')
    upgrade = actions.add_parser(
        'upgrade',
        help='make the tables, or bring them to this release; safe to '
        "repeat. Run it after Cyborg's own schema is made.",
    )
    upgrade.set_defaults(run=_upgrade)
    version = actions.add_parser(
        'version', help='print the revision the tables are at'
    )
    version.set_defaults(run=_version)
    audit.add_command(commands)
    return parser


def _upgrade(_arguments: argparse.Namespace) -> int:
    migration.upgrade(session.engine())
    return _version(_arguments)


def _version(_arguments: argparse.Namespace) -> int:
    print(migration.version(session.engine()) or 'none')
    return 0


if __name__ == '__main__':
    sys.exit(main())
