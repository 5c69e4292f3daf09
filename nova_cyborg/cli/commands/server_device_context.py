# SPDX-License-Identifier: Apache-2.0

"""``openstack server add|remove device context`` and the list of them."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import columns, errors, options
from nova_cyborg.cli.servers import attachments, refusals, waiting

_ADD_EXAMPLES = """\
Examples:

Attach a device context to a server that runs, and wait for that:

  %(prog)s --wait <server> <device-context>

The same, and tell the guest which device it is, by a tag:

  %(prog)s --tag gzip <server> <device-context>
"""
_REMOVE_EXAMPLES = """\
Examples:

Detach a device context from a server, and wait for that:

  %(prog)s --wait <server> <device-context>
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
        _add_context(parser, 'attach')
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
        context_id = attachments.context_id(parsed_args.device_context)
        server_id = _server_id(clients, parsed_args.server)
        calls = attachments.Attachments(_send(clients), server_id)
        shown = calls.attach(context_id, parsed_args.tag)
        if parsed_args.wait:
            waiting.attached(clients, context_id, server_id)
            shown = calls.show(context_id)
        names = columns.ATTACHED_SHOWN
        return names, columns.attached_row(shown, names)


class RemoveServerDeviceContext(command.Command):
    """Detach a device context from a server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_server(parser)
        _add_context(parser, 'detach')
        _add_wait(parser, 'detached')
        options.add_examples(parser, _REMOVE_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        clients = self.app.client_manager
        context_id = attachments.context_id(parsed_args.device_context)
        server_id = _server_id(clients, parsed_args.server)
        attachments.Attachments(_send(clients), server_id).detach(context_id)
        if parsed_args.wait:
            waiting.detached(clients, context_id, server_id)


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
        clients = self.app.client_manager
        server_id = _server_id(clients, parsed_args.server)
        found = attachments.Attachments(_send(clients), server_id).list()
        names = columns.ATTACHED
        return names, [columns.attached_row(each, names) for each in found]


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'server', metavar='<server>', help='Server (name or ID)'
    )


def _add_context(parser: argparse.ArgumentParser, verb: str) -> None:
    parser.add_argument(
        'device_context',
        metavar='<device-context>',
        help=f'Device context to {verb} (UUID)',
    )


def _add_wait(parser: argparse.ArgumentParser, done: str) -> None:
    parser.add_argument(
        '--wait',
        action='store_true',
        help=f'Wait until it is {done}, and fail with the reason if it is not',
    )


def _compute(clients: ty.Any) -> ty.Any:
    # "compute" of the client manager is python-novaclient's in old releases.
    return clients.sdk_connection.compute


def _send(clients: ty.Any) -> attachments.Send:
    return _compute(clients).request


def _server_id(clients: ty.Any, name_or_id: str) -> str:
    try:
        found = _compute(clients).find_server(name_or_id, ignore_missing=False)
    except errors.CALL_FAILURES as failure:
        raise errors.from_failure(failure, refusals.SERVICE) from failure
    return found.id
