# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context options``."""

import argparse
import collections.abc
import typing as ty

from cliff import columns
from osc_lib.command import command

from nova_cyborg.cli import http, options

_EXAMPLES = """\
Examples:

What a device context can ask for, and in which availability zones it is free:

  %(prog)s
  %(prog)s --long
"""
_COLUMNS = ('resource_class', 'traits', 'vendor', 'product', 'available')
_LONG = (*_COLUMNS, 'type', 'availability_zones')
_COUNTED = ('units_total', 'units_used', 'units_free')
_Output = tuple[
    collections.abc.Sequence[str], collections.abc.Iterable[ty.Any]
]


if ty.TYPE_CHECKING:
    _Column = columns.FormattableColumn[list[ty.Any] | None]
else:
    # Only newer releases of cliff have it generic.
    _Column = columns.FormattableColumn


class TraitsColumn(_Column):
    """Traits: one a line, or a list in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(self._value or ())


class ZonesColumn(_Column):
    """Availability zones: one a line, or objects in JSON; null if unknown."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        if self._value is None:
            return '(unknown: Nova does not say)'
        return '\n'.join(map(_zone_text, self._value))


_FORMATS: dict[str, type[_Column]] = {
    'traits': TraitsColumn,
    'availability_zones': ZonesColumn,
}


class ListDeviceContextOptions(command.Lister):
    """List what device contexts can ask for.

    Each row is a kind of devices: its resource class, traits that some of
    them have, and whether units are free.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command line."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--long',
            action='store_true',
            help='List their type and availability zones, too',
        )
        options.add_examples(parser, _EXAMPLES)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> _Output:
        """Do what the command line says."""
        calls = http.DeviceContextOptions(self.app.client_manager)
        found = calls.list({})
        names = _LONG if parsed_args.long else _COLUMNS
        if any(_COUNTED[0] in each for each in found):
            names = (*names, *_COUNTED)
        return names, [_row(each, names) for each in found]


def _row(
    option: http.Resource, names: collections.abc.Iterable[str]
) -> tuple[ty.Any, ...]:
    return tuple(
        _FORMATS[name](option.get(name))
        if name in _FORMATS
        else option.get(name)
        for name in names
    )


def _zone_text(zone: dict[str, ty.Any]) -> str:
    text = f'{zone.get("name") or "(none)"}: {zone.get("available")}'
    if 'units_free' in zone:
        text += f' ({zone["units_free"]} of {zone.get("units_total")})'
    return text
