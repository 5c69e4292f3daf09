# SPDX-License-Identifier: Apache-2.0

"""``openstack server add|remove device context`` and the list of them."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import columns, http, options, several
from nova_cyborg.cli.servers import attachments, calls, waiting

_ADD_EXAMPLES = """\
Examples:

Attach a device context to a server that runs, and wait for that:

  %(prog)s --wait <server> <device-context>

The same, and tell the guest which device it is, by a tag:

  %(prog)s --tag gzip <server> <device-context>
"""
_REMOVE_EXAMPLES = """\
Examples:

Detach device contexts from a server, and wait for that:

  %(prog)s --wait <server> <device-context> <device-context>
"""
_LIST_EXAMPLES = """\
Examples:

All device contexts of a server, and only their tags and devices:

  %(prog)s <server>
  %(prog)s -f json -c tag -c devices <server>
"""

_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]


class AddServerDeviceContext(command.ShowOne):
    """Attach a device context to a server that exists."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_server(parser)
        parser.add_argument(
            'device_context',
            metavar='<device-context>',
            help='Device context to attach (name or ID)',
        )
        parser.add_argument(
            '--tag',
            metavar='<tag>',
            help='What the guest is to know the devices by, in its metadata '
            "(the device context's own tag if left out)",
        )
        _add_wait(parser, 'attached')
        options.add_examples(parser, _ADD_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        clients = self.app.client_manager
        given = parsed_args.device_context
        context_id = http.DeviceContexts(clients).find(given)
        server_id = calls.server_id(calls.of(clients), parsed_args.server)
        attached = attachments.Attachments(calls.of(clients), server_id)
        shown = attached.attach(context_id, parsed_args.tag)
        if parsed_args.wait:
            waiting.attached(clients, context_id, server_id)
            shown = attached.show(context_id)
        names = columns.ATTACHED_SHOWN
        return names, columns.attached_row(shown, names)


class RemoveServerDeviceContext(command.Command):
    """Detach device context(s) from a server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_server(parser)
        parser.add_argument(
            'device_contexts',
            metavar='<device-context>',
            nargs='+',
            help='Device context(s) to detach (name or ID)',
        )
        _add_wait(parser, 'detached')
        options.add_examples(parser, _REMOVE_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        clients = self.app.client_manager
        server_id = calls.server_id(calls.of(clients), parsed_args.server)

        def detach(given: str) -> None:
            attachments.detach(clients, server_id, given, parsed_args.wait)

        several.each(
            detach,
            parsed_args.device_contexts,
            ('detach', 'device context'),
            self.log.error,
        )


class ListServerDeviceContext(command.Lister):
    """List the device contexts of a server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_server(parser)
        options.add_examples(parser, _LIST_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        send = calls.of(self.app.client_manager)
        server_id = calls.server_id(send, parsed_args.server)
        found = attachments.Attachments(send, server_id).list()
        names = columns.ATTACHED
        return names, [columns.attached_row(each, names) for each in found]


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'server', metavar='<server>', help='Server (name or ID)'
    )


def _add_wait(parser: argparse.ArgumentParser, done: str) -> None:
    parser.add_argument(
        '--wait',
        action='store_true',
        help=f'Wait until it is {done}, and fail with the reason if it is not',
    )
