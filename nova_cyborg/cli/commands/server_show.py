# SPDX-License-Identifier: Apache-2.0

"""What ``openstack server show`` says of device contexts: a hook of it."""

import argparse
import logging
import typing as ty

from cliff import hooks

from nova_cyborg.cli import columns, errors
from nova_cyborg.cli.servers import attachments, calls, refusals

_LOG = logging.getLogger(__name__)
_FIELD = 'device_contexts'
# Help is wrapped as one paragraph.
_EPILOG = (
    'The field device_contexts has the device contexts that the server has, '
    'not those that it was asked to be booted with.'
)


class DeviceContextsField(hooks.CommandHook):
    """Adds the device contexts that the server has."""

    def get_parser(
        self, parser: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        """Leave the parser of the command line as it is."""
        return parser

    def get_epilog(self) -> str:
        """Return what is said at the end of the help."""
        return _EPILOG

    def before(self, parsed_args: argparse.Namespace) -> argparse.Namespace:
        """Leave the command's arguments as they are."""
        return parsed_args

    def after(
        self, parsed_args: argparse.Namespace, return_code: ty.Any
    ) -> ty.Any:
        """Add the field.

        :param parsed_args: the command's arguments.
        :param return_code: the names of the fields, and their values.
        :returns: the same, with the field if there are device contexts in
            the cloud.
        """
        names, values = return_code
        shown = dict(zip(names, values, strict=True))
        wanted = parsed_args.columns
        # Diagnostics have no id.
        if not shown.get('id') or (wanted and _FIELD not in wanted):
            return names, tuple(shown.values())
        found = self._device_contexts(shown['id'])
        if found is not None:
            shown[_FIELD] = columns.HeldColumn(found)
        # As the command itself has them.
        return tuple(zip(*sorted(shown.items()), strict=True))

    def _device_contexts(
        self, server_id: str
    ) -> list[dict[str, ty.Any]] | None:
        # The app is any of cliff's, for all that cliff knows.
        app: ty.Any = self.cmd.app
        clients = app.client_manager
        # It may not know; that is None.
        if clients.is_service_available('accelerator') is False:
            return None
        try:
            found = attachments.Attachments(calls.of(clients), server_id)
            return found.list()
        except refusals.NotServed:
            return None
        except errors.CommandError as error:
            _LOG.warning(
                'Which device contexts server %s has is not known: %s',
                server_id,
                error,
            )
            return None
