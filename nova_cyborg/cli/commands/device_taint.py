# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device taint ...``."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg import exception
from nova_cyborg.cli import errors, http, ids, options, several

_SHOWN = ('uuid', 'device_uuid', 'key', 'reason', 'source', 'created_at')
_CREATE_EXAMPLES = """\
Examples:

Have no server get a device, unless its device context tolerates that:

  %(prog)s --key ecc-errors --reason 'Replaced on Monday.' <device>
"""
_LIST_EXAMPLES = """\
Examples:

All taints, and those of a device:

  %(prog)s
  %(prog)s --device <device>
"""
_DELETE_EXAMPLES = """\
Examples:

Have servers get a device again:

  %(prog)s <taint>
"""

_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]


class CreateDeviceTaint(command.ShowOne):
    """Taint a device: servers get it only if they tolerate that.

    Those that have it keep it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'device', metavar='<device>', help='Device to taint (UUID)'
        )
        parser.add_argument(
            '--key',
            metavar='<key>',
            required=True,
            help='What kind of taint it is, for those who tolerate it: small '
            'letters, digits and hyphens',
        )
        parser.add_argument(
            '--reason',
            metavar='<reason>',
            required=True,
            help='Why the device is tainted, for those who find it so',
        )
        options.add_examples(parser, _CREATE_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        body = {
            'device_uuid': _device(parsed_args.device),
            'key': parsed_args.key,
            'reason': parsed_args.reason,
        }
        taint = http.DeviceTaints(self.app.client_manager).create(body)
        return _SHOWN, _row(taint)


class ListDeviceTaint(command.Lister):
    """List the taints of devices."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--device',
            metavar='<device>',
            help='List only the taints of this device (UUID)',
        )
        options.add_examples(parser, _LIST_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        query = {}
        if parsed_args.device is not None:
            query['device_uuid'] = _device(parsed_args.device)
        taints = http.DeviceTaints(self.app.client_manager).list(query)
        return _SHOWN, [_row(taint) for taint in taints]


class DeleteDeviceTaint(command.Command):
    """Delete taint(s) of devices."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'taints',
            metavar='<taint>',
            nargs='+',
            help='Taint(s) to delete (UUID)',
        )
        options.add_examples(parser, _DELETE_EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        calls = http.DeviceTaints(self.app.client_manager)
        several.each(
            calls.delete,
            parsed_args.taints,
            ('delete', 'device taint'),
            self.log.error,
        )


def _device(text: str) -> str:
    try:
        return ids.required(text, exception.DeviceNotFound)
    except exception.DeviceNotFound as error:
        raise errors.CommandError(str(error)) from error


def _row(taint: http.Resource) -> tuple[ty.Any, ...]:
    return tuple(taint.get(name) for name in _SHOWN)
