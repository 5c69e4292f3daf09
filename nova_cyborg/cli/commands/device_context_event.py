# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context event ...``."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import http, options

_LISTED = (
    'created_at',
    'action',
    'outcome',
    'server_id',
    'host',
    'user_id',
    'message',
)
_LISTED_LONG = (*_LISTED, 'project_id', 'request_id', 'uuid')
_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]

_LIST_EXAMPLES = """\
Examples:

What has become of a device context, the newest first; of one that was
deleted, too:

  %(prog)s <device-context>

Only the last failure and what was before it:

  %(prog)s --limit 5 --long <device-context>
"""


class ListDeviceContextEvent(command.Lister):
    """List what has become of a device context: what, when, and by whom."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'device_context',
            metavar='<device-context>',
            help='Device context whose events are listed (name or ID; the ID '
            'of one that was deleted)',
        )
        parser.add_argument(
            '--limit',
            type=options.positive,
            metavar='<number>',
            help='List this many at most, the newest ones; without it, all '
            'are listed',
        )
        parser.add_argument(
            '--long',
            action='store_true',
            help='List additional fields: the project of the user, and the '
            'request',
        )
        options.add_examples(parser, _LIST_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        names = _LISTED_LONG if parsed_args.long else _LISTED
        query = {}
        if parsed_args.limit is not None:
            query['limit'] = parsed_args.limit
        calls = http.Events(
            self.app.client_manager, parsed_args.device_context
        )
        return names, [
            tuple(event.get(name) for name in names)
            for event in calls.list(query)
        ]
