# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context ...``."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import (
    columns,
    errors,
    http,
    options,
    request,
    several,
)
from nova_cyborg.cli.listing import tags
from nova_cyborg.cli.servers import calls, waiting

_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]

_SHOW_EXAMPLES = """\
Examples:

All that is known of a device context, and only the slots of its devices:

  %(prog)s <device-context>
  %(prog)s -f json -c devices <device-context>

The slots, when the server that is being built has them:

  %(prog)s --wait -c devices <device-context>
"""
_SET_EXAMPLES = """\
Examples:

Give a device context a name, and keep it when its server is deleted:

  %(prog)s --name gzip --keep-on-termination <device-context>

Add tags that it is found by in lists, and have no others:

  %(prog)s --tags prod,team-a <device-context>
  %(prog)s --no-tags --tags prod <device-context>
"""
_UNSET_EXAMPLES = """\
Examples:

Remove the name and the tag of a device context:

  %(prog)s --name --tag <device-context>

Remove one of the tags that it is found by in lists:

  %(prog)s --tags team-a <device-context>
"""
_DELETE_EXAMPLES = """\
Examples:

Delete device contexts that no server holds:

  %(prog)s <device-context> <device-context>
"""


def create(app: ty.Any, args: argparse.Namespace) -> list[http.Context]:
    """Create device contexts, and say what there is to be warned of.

    :param app: the application of the command.
    :param args: the options of
        :func:`nova_cyborg.cli.options.add_create_options`.
    :returns: the device contexts.
    :raises CommandError: if the service refuses or does not answer.
    """
    bodies = request.create_bodies(args)
    contexts = http.DeviceContexts(app.client_manager)
    if len(bodies) > 1:
        made, warnings = contexts.create_several(bodies)
    else:
        made = [contexts.create(bodies[0])]
        warnings = made[0].get('warnings') or []
    for warning in warnings:
        app.stderr.write(f'{warning}\n')
    return made


class CreateDeviceContext(command.ShowOne):
    """Create device context(s): ask for accelerators for a server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        options.add_create_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        made = create(self.app, parsed_args)
        return columns.SHOWN, columns.row_of_all(made, columns.SHOWN)


class ListDeviceContext(command.Lister):
    """List device contexts."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        options.add_list_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        names = columns.LISTED_LONG if parsed_args.long else columns.LISTED
        query = request.list_query(parsed_args)
        # Of the others, groups are large.
        query['fields'] = ','.join(names)
        clients = self.app.client_manager
        contexts = http.DeviceContexts(clients)
        if parsed_args.server is not None:
            query['server_id'] = calls.server_id(
                calls.of(clients), parsed_args.server, parsed_args.all_projects
            )
        if parsed_args.marker is not None:
            query['marker'] = contexts.find(parsed_args.marker)
        found = contexts.list(query)
        return names, [columns.row(context, names) for context in found]


class ShowDeviceContext(command.ShowOne):
    """Show a device context: its status, server, host and devices."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_context(parser, 'show')
        parser.add_argument(
            '--wait',
            action='store_true',
            help='Wait until nothing is under way with it: it is available, '
            'bound or in error',
        )
        options.add_examples(parser, _SHOW_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        clients = self.app.client_manager
        context = http.DeviceContexts(clients).show(parsed_args.device_context)
        if parsed_args.wait:
            context = waiting.settled(clients, context)
        return columns.SHOWN, columns.row(context, columns.SHOWN)


class SetDeviceContext(command.Command):
    """Change what a device context says, but not what it asks for."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_context(parser, 'change')
        options.add_plain_options(parser, can_remove=True)
        tags.add_set_options(parser)
        options.add_examples(parser, _SET_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        changes = request.changes(parsed_args)
        # Read before anything is done, whatever else there is to change.
        if not tags.are_changed(parsed_args) and not changes:
            raise errors.CommandError(
                'Nothing to change: use --name, --description, '
                '--delete-on-termination, --keep-on-termination, '
                '--live-migration, --tag, --no-tag, --tags or --no-tags.'
            )
        contexts = http.DeviceContexts(self.app.client_manager)
        # Looked for once: what was its name may be another's afterwards.
        context_id = contexts.find(parsed_args.device_context)
        if changes:
            contexts.update(context_id, changes)
        tags.change(contexts, context_id, parsed_args)


class UnsetDeviceContext(command.Command):
    """Remove what a device context says of itself."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        _add_context(parser, 'change')
        options.add_unset_options(parser)
        tags.add_unset_options(parser)
        options.add_examples(parser, _UNSET_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        removals = request.removals(parsed_args)
        # Read before anything is done, whatever else there is to remove.
        if not tags.are_removed(parsed_args) and not removals:
            raise errors.CommandError(
                'Nothing to remove: use --name, --description, --tag, --tags '
                'or --all-tags.'
            )
        contexts = http.DeviceContexts(self.app.client_manager)
        # Looked for once, while it has the name.
        context_id = contexts.find(parsed_args.device_context)
        if removals:
            contexts.update(context_id, removals)
        tags.remove(contexts, context_id, parsed_args)


class DeleteDeviceContext(command.Command):
    """Delete device context(s)."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'device_contexts',
            metavar='<device-context>',
            nargs='+',
            help='Device context(s) to delete (name or ID)',
        )
        options.add_examples(parser, _DELETE_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        contexts = http.DeviceContexts(self.app.client_manager)
        several.each(
            contexts.delete,
            parsed_args.device_contexts,
            ('delete', 'device context'),
            self.log.error,
        )


def _add_context(parser: argparse.ArgumentParser, verb: str) -> None:
    parser.add_argument(
        'device_context',
        metavar='<device-context>',
        help=f'Device context to {verb} (name or ID)',
    )
