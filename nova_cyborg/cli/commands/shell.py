# SPDX-License-Identifier: Apache-2.0

"""``cyborg device-context-...`` and ``cyborg device-taint-...``.

The command line of the device contexts by themselves, for scripts that boot
with ``nova boot``.
"""

import argparse
import functools
import getpass
import importlib.metadata
import sys
import typing as ty

from cliff import app, commandmanager
from keystoneauth1 import adapter
from openstack import config
from openstack.config import cloud_region
from osc_lib.command import command

from nova_cyborg.cli import errors, options
from nova_cyborg.cli.commands import (
    device_context,
    device_context_event,
    device_taint,
)
from nova_cyborg.cli.commands.explaining import explain, limits
from nova_cyborg.cli.commands.explaining import options as explaining

_SERVICES = ('accelerator', 'compute', 'image')
_NO_CLOUD = (
    'Say which cloud to use: name one of clouds.yaml with --os-cloud or '
    'OS_CLOUD, or set OS_AUTH_URL and the other OS_* variables.'
)
_NO_COMMAND = 'Name a command; "cyborg --help" lists them.'
_CANNOT_ASK = (
    'A password is needed, and there is no terminal to ask for it: set '
    'OS_PASSWORD.'
)


class CreateDeviceContext(command.Command):
    """Create device context(s) and print the UUIDs, one a line."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        options.add_create_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do what the command line says."""
        for context in device_context.create(self.app, parsed_args):
            self.app.stdout.write(f'{context["uuid"]}\n')


class Clients:
    """Logs in when a command needs it, not before."""

    def __init__(
        self, cloud_config: config.OpenStackConfig, args: argparse.Namespace
    ) -> None:
        self._config = cloud_config
        self._args = args

    @functools.cached_property
    def accelerator(self) -> adapter.Adapter:
        """The Accelerator service, at its endpoint of the catalog."""
        service = 'accelerator'
        # No version is asked for: with one, each command would read the
        # service's version document first.
        return adapter.Adapter(
            session=self._region.get_session(),
            service_type=self._region.get_service_type(service),
            service_name=self._region.get_service_name(service),
            interface=self._region.get_interface(service),
            region_name=self._region.get_region_name(service),
            endpoint_override=self._region.get_endpoint(service),
        )

    @functools.cached_property
    def sdk_connection(self) -> ty.Any:
        """Other services, where osc-lib's client manager has them."""
        # Few commands need it, and to import it takes a while.
        from openstack import connection

        return connection.Connection(config=self._region)

    @functools.cached_property
    def _region(self) -> cloud_region.CloudRegion:
        if not self._cloud_named():
            # Otherwise the first thing asked for would be a password.
            raise errors.CommandError(_NO_CLOUD)
        return self._config.get_one(argparse=self._args)

    def _cloud_named(self) -> bool:
        found = self._config.get_one(argparse=self._args, validate=False)
        # From clouds.yaml they come in "auth", from the environment beside.
        options = found.config | (found.config.get('auth') or {})
        return bool(options.get('auth_url') or options.get('endpoint'))


class CyborgShell(app.App):
    """The application; its options are those of any OpenStack client."""

    NAME = 'cyborg'

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv
        self._config = config.OpenStackConfig(pw_func=_ask_password)
        super().__init__(
            description='Device contexts of the Accelerator service.',
            version=importlib.metadata.version('nova-cyborg'),
            command_manager=_commands(),
            # "cyborg <command> --help" is help for the command.
            deferred_help=True,
        )

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, ty.Any] | None = None,
    ) -> argparse.ArgumentParser:
        """Return the parser of the options of all commands."""
        # Abbreviated, a command's option could be taken for one of these.
        kwargs = {'allow_abbrev': False} | (argparse_kwargs or {})
        parser = super().build_option_parser(description, version, kwargs)
        self._config.register_argparse_arguments(
            parser, self._argv, service_keys=list(_SERVICES)
        )
        return parser

    def initialize_app(self, argv: list[str]) -> None:
        """Prepare what the commands use.

        :raises CommandError: if no command is named. cliff would start a
            prompt of its own; the shell has one.
        """
        if not argv and not self.options.deferred_help:
            raise errors.CommandError(_NO_COMMAND)
        self.client_manager = Clients(self._config, self.options)


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    :param argv: the arguments; those of the process by default.
    :returns: the exit code.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return CyborgShell(arguments).run(arguments)
    except errors.CALL_FAILURES as failure:
        # clouds.yaml or OS_CLOUD is wrong.
        sys.stderr.write(f'{failure}\n')
        return 1


def _commands() -> commandmanager.CommandManager:
    manager = commandmanager.CommandManager('nova_cyborg.cli')
    add = manager.add_command
    add('device-context-create', CreateDeviceContext)
    add('device-context-list', device_context.ListDeviceContext)
    add('device-context-show', device_context.ShowDeviceContext)
    add('device-context-set', device_context.SetDeviceContext)
    add('device-context-unset', device_context.UnsetDeviceContext)
    add('device-context-delete', device_context.DeleteDeviceContext)
    add(
        'device-context-event-list',
        device_context_event.ListDeviceContextEvent,
    )
    add('device-context-options', explaining.ListDeviceContextOptions)
    add('device-context-limits', limits.ListDeviceContextLimits)
    add('device-context-explain', explain.ExplainDeviceContext)
    add('device-taint-create', device_taint.CreateDeviceTaint)
    add('device-taint-list', device_taint.ListDeviceTaint)
    add('device-taint-delete', device_taint.DeleteDeviceTaint)
    return manager


def _ask_password(prompt: str | None = None) -> str:
    if not sys.stdin.isatty():
        raise errors.CommandError(_CANNOT_ASK)
    return getpass.getpass(prompt or 'Password: ')
