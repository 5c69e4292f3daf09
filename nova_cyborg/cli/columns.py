# SPDX-License-Identifier: Apache-2.0

"""How device contexts look on the screen, and in JSON."""

import collections.abc
import typing as ty

from cliff import columns

from nova_cyborg.cli import http

SHOWN = (
    'uuid',
    'name',
    'description',
    'status',
    'fault',
    'server_id',
    'host',
    'devices',
    'bindings',
    'groups',
    'device_profile_id',
    'delete_on_termination',
    'live_migration',
    'tag',
    'tags',
    'revision',
    'project_id',
    'user_id',
    'created_at',
    'updated_at',
)
LISTED = ('uuid', 'name', 'status', 'server_id', 'host')
LISTED_LONG = (
    *LISTED,
    'devices',
    'groups',
    'delete_on_termination',
    'live_migration',
    'tag',
    'tags',
    'project_id',
    'description',
    'created_at',
    'updated_at',
)

#: Of what a server has.
ATTACHED = ('device_context_id', 'name', 'status', 'tag', 'devices')
ATTACHED_SHOWN = ('server_id', *ATTACHED)

_Items = list[dict[str, ty.Any]]
if ty.TYPE_CHECKING:
    _Column = columns.FormattableColumn[_Items]
else:
    # Only newer releases of cliff have it generic.
    _Column = columns.FormattableColumn


class GroupsColumn(_Column):
    """The request groups: one a line, or objects in JSON.

    Of one with alternatives, these have a line each.
    """

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(
            line
            for number, group in enumerate(self._value or ())
            for line in _group_lines(f'group {number}:', group)
        )


class DevicesColumn(_Column):
    """The devices: one a line, or objects in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(map(_device_text, self._value or ()))


class AttachedDevicesColumn(_Column):
    """The devices of a server: one a line, or objects in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(map(_attached_text, self._value or ()))


class HeldColumn(_Column):
    """The device contexts of a server: one a line, or objects in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(map(_held_text, self._value or ()))


class BindingsColumn(_Column):
    """The bindings: one a line, or objects in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(
            f'{each.get("state")} on {each.get("host")}'
            for each in self._value or ()
        )


class TagsColumn(_Column):
    """The tags, separated by commas, or a list in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return ', '.join(map(str, self._value or ()))


class LinesColumn(_Column):
    """What differs between several: one a line, or a list in JSON."""

    def human_readable(self) -> str:
        """Return the text for tables."""
        return '\n'.join(
            each.human_readable()
            if isinstance(each, columns.FormattableColumn)
            else str(each)
            for each in self._value
        )

    def machine_readable(self) -> '_Lines':
        """Return what is written in other formats."""
        return _Lines(
            each.machine_readable()
            if isinstance(each, columns.FormattableColumn)
            else each
            for each in self._value
        )


class _Lines(list[ty.Any]):
    """A list to JSON; where texts are written, one a line."""

    def __str__(self) -> str:
        return '\n'.join(map(str, self))


_FORMATS: dict[str, type[_Column]] = {
    'groups': GroupsColumn,
    'devices': DevicesColumn,
    'bindings': BindingsColumn,
    'tags': TagsColumn,
}


def row(
    context: http.Context, names: collections.abc.Iterable[str]
) -> tuple[ty.Any, ...]:
    """Return some fields of a device context for output.

    :param context: the device context, as the API has it.
    :param names: the fields.
    :returns: the values, ready for cliff's formatters.
    """
    return tuple(_value(context, name) for name in names)


def row_of_all(
    contexts: collections.abc.Sequence[http.Context],
    names: collections.abc.Iterable[str],
) -> tuple[ty.Any, ...]:
    """Return some fields of several device contexts as if they were one.

    :param contexts: the device contexts, as the API has them.
    :param names: the fields.
    :returns: the values; of a field in which they differ, those of all.
    """
    return tuple(
        _value(contexts[0], name)
        if all(each.get(name) == contexts[0].get(name) for each in contexts)
        else LinesColumn([_value(each, name) for each in contexts])
        for name in names
    )


def attached_row(
    attachment: http.Resource, names: collections.abc.Iterable[str]
) -> tuple[ty.Any, ...]:
    """Return some fields of a device context that a server has.

    :param attachment: the device context, as Nova has it.
    :param names: the fields.
    :returns: the values, ready for cliff's formatters.
    """
    return tuple(
        AttachedDevicesColumn(attachment.get(name) or [])
        if name == 'devices'
        else attachment.get(name)
        for name in names
    )


def _value(context: http.Context, name: str) -> ty.Any:
    value = context.get(name)
    return _FORMATS[name](value or []) if name in _FORMATS else value


def _group_lines(
    label: str, group: dict[str, ty.Any]
) -> collections.abc.Iterator[str]:
    alternatives = group.get('first_available')
    if not alternatives:
        yield f'{label} {_group_text(group)}'
        return
    yield f'{label} the first available of'
    for number, each in enumerate(alternatives):
        chosen = ' (chosen)' if number == group.get('chosen') else ''
        yield f'  {number}: {_group_text(each)}{chosen}'


def _group_text(group: dict[str, ty.Any]) -> str:
    parts = [_pairs(group.get('resources'))]
    if group.get('required'):
        parts.append('requires ' + ', '.join(group['required']))
    if group.get('forbidden'):
        parts.append('forbids ' + ', '.join(group['forbidden']))
    if group.get('tolerated'):
        parts.append('tolerates ' + ', '.join(group['tolerated']))
    if group.get('config'):
        parts.append('config ' + _pairs(group['config']))
    return '; '.join(parts)


def _device_text(device: dict[str, ty.Any]) -> str:
    text = f'group {device.get("group")}'
    if device.get('alternative'):
        text += f', alternative {device["alternative"]}'
    text += ': '
    place = device.get('slot') or _pairs(device.get('attach_handle_info'))
    if place:
        text += f'{device.get("attach_handle_type")} {place}'
    else:
        text += 'no slot yet'
    if device.get('host'):
        text += f' on {device["host"]}'
    state = device.get('state')
    if device.get('missing'):
        state = f'{state}, missing'
    return f'{text} ({state}, ARQ {device.get("arq_id")})'


def _held_text(attachment: dict[str, ty.Any]) -> str:
    known = (attachment.get(name) for name in ('name', 'status'))
    return (
        f'{attachment.get("device_context_id")} '
        f'({", ".join(filter(None, known))})'
    )


def _attached_text(device: dict[str, ty.Any]) -> str:
    place = 'no slot yet'
    if device.get('slot'):
        place = f'{device.get("type")} {device["slot"]}'
    return (
        f'group {device.get("group")}: {place} '
        f'(ARQ {device.get("accelerator_request_id")})'
    )


def _pairs(items: dict[str, ty.Any] | None) -> str:
    return ', '.join(f'{key}:{value}' for key, value in (items or {}).items())
