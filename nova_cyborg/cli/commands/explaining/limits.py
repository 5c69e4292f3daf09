# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context limits``."""

import argparse
import collections.abc
import typing as ty

from osc_lib.command import command

from nova_cyborg.cli import http, options

_EXAMPLES = """\
Examples:

How many device contexts and accelerators the project may have, and has:

  %(prog)s

The same of another project, for administrators:

  %(prog)s --project-id 2fbf2a80a3ba4d9a8dd2e2ba1cf4a2ee
"""
_COLUMNS = ('resource_name', 'limit', 'used')
_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]


class ListDeviceContextLimits(command.Lister):
    """List how much a project may have, and has.

    device_contexts are those that servers hold, and those that none does.
    class:FPGA, and so on, are the accelerators of a resource class that
    servers hold. A limit of -1 is none.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--project-id',
            metavar='<project-id>',
            help='List those of another project; for administrators',
        )
        options.add_examples(parser, _EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        query = {}
        if parsed_args.project_id is not None:
            query['project_id'] = parsed_args.project_id
        calls = http.DeviceContextLimits(self.app.client_manager)
        found = calls.list(query)
        return _COLUMNS, [
            tuple(each.get(name) for name in _COLUMNS) for each in found
        ]
