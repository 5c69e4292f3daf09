# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context explain``."""

import argparse
import collections.abc
import contextlib
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import errors, http, options, request
from nova_cyborg.cli.servers import refusals

_EXAMPLES = """\
Examples:

Why no host has what a device context asks for, for a server of a flavor:

  %(prog)s --flavor m1.small --image cirros <device-context>

Whether one would have something that is not asked for yet:

  %(prog)s --resources FPGA_GZIP:1 --requires SOME_FOO_CAPABILITY
"""
_COLUMNS = ('Requirement', 'Met')
_COUNTED = (*_COLUMNS, 'Hosts')
_FLAVOR_FIELDS = ('vcpus', 'ram', 'disk', 'ephemeral', 'swap')
# Of an image, what says which hosts can run it.
_TRAIT = 'trait:'
_IMAGE_SERVICE = 'Image service (Glance)'
_MET = {True: 'yes', False: 'no', None: ''}
_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]


class ExplainDeviceContext(command.Lister):
    """Explain why no host has what a device context asks for.

    One sentence says what to change; a table, how far the cloud has what is
    asked for. Nothing is changed.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'device_context',
            metavar='<device-context>',
            nargs='?',
            help='Device context to explain (name or UUID); or say what '
            'one would ask for',
        )
        options.add_group_options(parser)
        parser.add_argument(
            '--flavor',
            metavar='<flavor>',
            help='Flavor of the server that is to get it (name or ID)',
        )
        parser.add_argument(
            '--image',
            metavar='<image>',
            help='Image of the server that is to get it (name or ID)',
        )
        options.add_examples(parser, _EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        name = parsed_args.device_context
        if name is None:
            body = request.asked(parsed_args)
        elif request.asks(parsed_args):
            raise errors.CommandError(
                'Name a device context, or say what one would ask for; not '
                'both.'
            )
        else:
            body = {}
        body |= self._server(parsed_args)
        calls = http.DeviceContexts(self.app.client_manager)
        found = calls.explain(name, body)
        # What reads other formats reads a table, and nothing else.
        is_table = getattr(parsed_args, 'formatter', 'table') == 'table'
        stream = self.app.stdout if is_table else self.app.stderr
        stream.write(f'{found["sentence"]}\n')
        for warning in found.get('warnings') or []:
            self.app.stderr.write(f'{warning}\n')
        rows = found['requirements']
        if any(row.get('hosts') is not None for row in rows):
            return _COUNTED, [(*_row(row), _hosts(row)) for row in rows]
        return _COLUMNS, [_row(row) for row in rows]

    def _server(self, args: argparse.Namespace) -> dict[str, ty.Any]:
        """Read the flavor and the image with the token of the user."""
        found: dict[str, ty.Any] = {}
        if args.flavor:
            with _failing(refusals.SERVICE):
                found['flavor'] = self._flavor(args.flavor)
        if args.image:
            with _failing(_IMAGE_SERVICE):
                found['image'] = self._image(args.image)
        return found

    def _flavor(self, name_or_id: str) -> dict[str, ty.Any]:
        compute = self.app.client_manager.sdk_connection.compute
        flavor = compute.find_flavor(
            name_or_id, ignore_missing=False, get_extra_specs=True
        )
        shown: dict[str, ty.Any] = {
            name: int(getattr(flavor, name) or 0) for name in _FLAVOR_FIELDS
        }
        specs = flavor.extra_specs or {}
        return shown | {'extra_specs': {k: str(v) for k, v in specs.items()}}

    def _image(self, name_or_id: str) -> dict[str, str]:
        images = self.app.client_manager.sdk_connection.image
        image = images.find_image(name_or_id, ignore_missing=False)
        return {
            key: str(value)
            for key, value in (image.properties or {}).items()
            if key.startswith(_TRAIT)
        }


@contextlib.contextmanager
def _failing(service: str) -> collections.abc.Iterator[None]:
    try:
        yield
    except errors.CALL_FAILURES as failure:
        raise errors.from_failure(failure, service) from failure


def _row(row: dict[str, ty.Any]) -> tuple[str, str]:
    return str(row['requirement']), _MET[row['met']]


def _hosts(row: dict[str, ty.Any]) -> str:
    if row.get('hosts') is None:
        return ''
    return f'{row["hosts"]}{" or more" if row.get("more") else ""}'
