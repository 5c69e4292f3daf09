# SPDX-License-Identifier: Apache-2.0

"""What new device contexts ask for, read from the bodies of requests."""

import collections.abc
import contextlib
import typing as ty

from cyborg.conf import CONF
from oslo_utils import uuidutils

from nova_cyborg import exception, language, model, names
from nova_cyborg.api import schemas
from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.schemas import device_context
from nova_cyborg.db import contexts, profiles, session

#: In a body: several device contexts.
SEVERAL = 'device_contexts'

# What an update can change, too.
_PLAIN = (
    'name',
    'description',
    'delete_on_termination',
    'live_migration',
    'tag',
)
_GROUP_FIELDS = ('resources', 'required', 'forbidden', 'config', 'tolerated')

_Body = collections.abc.Mapping[str, ty.Any]
_Profiles = collections.abc.Mapping[str, profiles.Profile]
# The field that says what is asked for, what that is, and the profile's UUID.
_Asked = tuple[str, tuple[model.Choice, ...], str | None]


def read(body: _Body) -> list[contexts.New]:
    """Read the device contexts that a body asks for.

    :param body: what the schema of one, or that of several, has let pass.
    :returns: the device contexts.
    :raises InvalidRequest: naming the field that is wrong.
    :raises DeviceProfileNotFound: if there is no such device profile.
    """
    if SEVERAL not in body:
        return [_read_one(body, _profiles([body]))]
    found = []
    for number, each in enumerate(body[SEVERAL]):
        with _within(number):
            schemas.validate(each, device_context.CREATE)
    known = _profiles(body[SEVERAL])
    for number, each in enumerate(body[SEVERAL]):
        with _within(number):
            found.append(_read_one(each, known))
    _check_size(found)
    return found


def groups_of(body: _Body) -> _Asked:
    """Read what a body asks for.

    :param body: what the schema of one device context has let pass.
    :returns: the field that says what is asked for, what that is, and the
        UUID of the device profile that it was copied from.
    :raises InvalidRequest: naming the field that is wrong.
    :raises DeviceProfileNotFound: if there is no such device profile.
    """
    return _groups(body, _profiles([body]))


def _read_one(body: _Body, known: _Profiles) -> contexts.New:
    field, groups, profile_id = _groups(body, known)
    language.check_accelerator_count(
        groups, field, CONF.nova_cyborg.max_accelerators_per_server
    )
    fields = {name: body[name] for name in _PLAIN if name in body}
    return contexts.New(groups, profile_id, fields, body.get('tags', ()))


def _groups(body: _Body, known: _Profiles) -> _Asked:
    short = {name: body[name] for name in _GROUP_FIELDS if name in body}
    given = [
        name
        for name, there in (
            ('groups', 'groups' in body),
            (next(iter(short), ''), bool(short)),
            ('device_profile', 'device_profile' in body),
        )
        if there
    ]
    if len(given) > 1:
        raise exception.InvalidRequest(
            field=given[-1],
            reason=f'it cannot be given together with {given[0]}.',
        )
    if 'device_profile' in body:
        return 'device_profile', *_profile_groups(
            body['device_profile'], known
        )
    if 'groups' in body:
        return 'groups', language.parse_groups(body['groups']), None
    groups = (model.Choice((language.parse_group(short),)),)
    language.check_stored_size(groups, 'body')
    return 'resources', groups, None


def _profiles(bodies: collections.abc.Iterable[_Body]) -> _Profiles:
    """Read the device profiles that bodies name, with one statement."""
    wanted = {
        _profile_key(body['device_profile'])
        for body in bodies
        if 'device_profile' in body
    }
    if not wanted:
        return {}
    return profiles.find(handler.request_context(), sorted(wanted))


def _profile_groups(
    name_or_id: str, known: _Profiles
) -> tuple[tuple[model.Choice, ...], str]:
    """Copy a profile's groups: later changes of it do not reach here."""
    profile = known.get(_profile_key(name_or_id))
    if profile is None:
        raise exception.DeviceProfileNotFound(id=name_or_id)
    groups = language.groups_from_profile(profile.groups, profile.name)
    return groups, profile.uuid


def _profile_key(name_or_id: str) -> str:
    if uuidutils.is_uuid_like(name_or_id):
        return handler.canonical(name_or_id)
    return name_or_id


@contextlib.contextmanager
def _within(number: int) -> collections.abc.Iterator[None]:
    """Have errors say in which of several something is wrong."""
    item = f'{SEVERAL}[{number}]'
    try:
        yield
    except exception.InvalidRequest as exc:
        field = exc.kwargs['field']
        raise exception.InvalidRequest(
            field=item if field == 'body' else f'{item}.{field}',
            reason=exc.kwargs['reason'],
        ) from exc


def _check_size(found: collections.abc.Iterable[contexts.New]) -> None:
    # A name of a profile is short, and its groups may not be.
    size = sum(len(session.dump_groups(each.groups)) for each in found)
    if size > views.MAX_SIZE:
        raise names.invalid(
            SEVERAL,
            f'their groups take {size} bytes together, {views.MAX_SIZE} are '
            'allowed. Make fewer at once.',
        )
