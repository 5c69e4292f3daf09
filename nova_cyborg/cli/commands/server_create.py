# SPDX-License-Identifier: Apache-2.0

"""``openstack server create --device-context-id``: a hook of the command."""

import argparse
import typing as ty

from cliff import hooks

from nova_cyborg import exception, model
from nova_cyborg.cli import errors, http, ids

_OPTION_HELP = (
    'Give the server the accelerators of this device context (name or ID), '
    'made with "openstack accelerator device context create" (repeat option '
    'for more device contexts)'
)
# Help is wrapped as one paragraph.
_EXAMPLE = (
    'Example with a device context: openstack server create '
    '--device-context-id <device-context> --flavor m1.small '
    '--image <image> vm1'
)


class DeviceContextOption(hooks.CommandHook):
    """Adds the option, and makes a scheduler hint of it."""

    def get_parser(
        self, parser: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser.add_argument(
            '--device-context-id',
            metavar='<device-context>',
            dest='device_context_ids',
            action='append',
            default=[],
            help=_OPTION_HELP,
        )
        return parser

    def get_epilog(self) -> str:
        """Return the example for the end of the help."""
        return _EXAMPLE

    def before(self, parsed_args: argparse.Namespace) -> argparse.Namespace:
        """Put the device contexts into the scheduler hints.

        :param parsed_args: the command's arguments.
        :returns: the same, with the hint.
        :raises CommandError: if the device contexts cannot be used so.
        """
        if not parsed_args.device_context_ids:
            return parsed_args
        # python-openstackclient 6 keeps them in "hint", 10 in "hints": lists
        # of values by key. The given dict may be the option's default, which
        # all commands of the process share: it is replaced, never changed.
        dest = 'hints' if hasattr(parsed_args, 'hints') else 'hint'
        hints = dict(getattr(parsed_args, dest) or {})
        texts = [*hints.get(model.HINT, ()), *parsed_args.device_context_ids]
        try:
            hints[model.HINT] = ids.for_one_server(
                texts, parsed_args.max, self._find
            )
        except exception.DeviceContextError as error:
            raise errors.CommandError(str(error)) from error
        setattr(parsed_args, dest, hints)
        return parsed_args

    def after(self, parsed_args: argparse.Namespace, return_code: int) -> int:
        """Leave the outcome as it is."""
        return return_code

    def _find(self, given: str) -> str:
        # The app is any of cliff's, for all that cliff knows.
        app: ty.Any = self.cmd.app
        return http.DeviceContexts(app.client_manager).find(given)
