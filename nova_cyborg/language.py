# SPDX-License-Identifier: Apache-2.0

"""The request language: how a project says what a device context needs.

A device context is one or more **groups**. A group is what Placement calls a
granular request group: amounts of resource classes, required and forbidden
traits, all to be found on one resource provider; config data, which Cyborg
hands to the device's driver; and the taints that the device may have. It may
list several such, its alternatives, of which the first available one is
chosen.
"""

import collections.abc
import json
import re
import typing as ty

from nova_cyborg import exception, model, names

#: Device contexts that one request makes.
MAX_AT_ONCE = 100
MAX_GROUPS = 16
#: As for Kubernetes' requests for devices.
MAX_ALTERNATIVES = 8
MAX_RESOURCE_CLASSES = 8
MAX_TRAITS = 50
MAX_TOLERATED = 16
MAX_CONFIG_KEYS = 32
MAX_CONFIG_KEY_LENGTH = 128
MAX_CONFIG_VALUE_LENGTH = 1024
#: Bytes that the groups of a context may take in a TEXT column of MySQL, in
#: our table and in Cyborg's.
MAX_STORED_SIZE = 2**16 - 1

_CONFIG_KEY = re.compile(r'[A-Za-z0-9_.:-]+')
# Of a profile; longer ones are not read as numbers at all.
_AMOUNT = re.compile('[0-9]{1,20}')
_GROUP_FIELDS = frozenset(
    ('resources', 'required', 'forbidden', 'config', 'tolerated')
)
_ALTERNATIVES = 'first_available'


def parse_groups(
    items: object, field: str = 'groups'
) -> tuple[model.Choice, ...]:
    """Read and normalise the groups of a request.

    :param items: groups in the form of the API: a list of objects with
        ``resources`` (an object of amounts, 1 to 2**31-1, by resource
        class), and optionally ``required``, ``forbidden`` (lists of traits),
        ``config`` (an object of strings by key) and ``tolerated`` (a list of
        keys of taints); or with ``first_available``, a list of such objects.
    :param field: what error messages call the list.
    :returns: the groups, in the given order.
    :raises InvalidRequest: naming the field that is wrong.
    """
    if not isinstance(items, list | tuple) or not items:
        raise names.invalid(field, 'at least one group is needed.')
    _check_count(items, field, 'groups', MAX_GROUPS)
    groups = tuple(
        _parse_choice(item, f'{field}[{n}].') for n, item in enumerate(items)
    )
    count = model.pick_count(groups)
    if count > model.MAX_PICKS:
        raise names.invalid(
            field,
            f'their alternatives make {count} combinations, {model.MAX_PICKS} '
            'are allowed. List fewer alternatives.',
        )
    check_stored_size(groups, field)
    return groups


def _parse_choice(item: object, prefix: str) -> model.Choice:
    if not isinstance(item, collections.abc.Mapping) or (
        _ALTERNATIVES not in item
    ):
        return model.Choice((parse_group(item, prefix),))
    field = f'{prefix}{_ALTERNATIVES}'
    beside = sorted(_GROUP_FIELDS.intersection(item))
    if beside:
        raise names.invalid(
            f'{prefix}{beside[0]}',
            f'it cannot be given together with {_ALTERNATIVES}; each '
            'alternative has its own.',
        )
    unknown = sorted(set(map(str, item)) - {_ALTERNATIVES})
    if unknown:
        raise names.invalid(f'{prefix}{unknown[0]}', 'there is no such field.')
    items = item[_ALTERNATIVES]
    if not isinstance(items, list | tuple) or not items:
        raise names.invalid(field, 'must be a list of one group at least.')
    _check_count(items, field, 'alternatives', MAX_ALTERNATIVES)
    return model.Choice(
        tuple(
            parse_group(each, f'{field}[{n}].') for n, each in enumerate(items)
        )
    )


def parse_group(item: object, prefix: str = '') -> model.Group:
    """Read and normalise a group without alternatives.

    :param item: the group in the form of the API; see :func:`parse_groups`.
    :param prefix: what error messages put before the names of its fields.
    :returns: the group.
    :raises InvalidRequest: naming the field that is wrong.
    """
    if not isinstance(item, collections.abc.Mapping):
        raise names.invalid(
            prefix.rstrip('.') or 'group', 'must be an object.'
        )
    unknown = sorted(set(map(str, item)) - _GROUP_FIELDS)
    if unknown:
        raise names.invalid(f'{prefix}{unknown[0]}', 'there is no such field.')
    required = _parse_traits(item.get('required', ()), f'{prefix}required')
    forbidden = _parse_traits(item.get('forbidden', ()), f'{prefix}forbidden')
    both = sorted(set(required) & set(forbidden))
    if both:
        raise names.invalid(
            f'{prefix}forbidden',
            f'trait {both[0]} is both required and forbidden.',
        )
    return model.Group(
        _parse_resources(item.get('resources', {}), f'{prefix}resources'),
        required,
        forbidden,
        _parse_config(item.get('config', {}), f'{prefix}config'),
        _parse_tolerated(item.get('tolerated', ()), f'{prefix}tolerated'),
    )


def check_stored_size(
    groups: collections.abc.Sequence[model.Choice], field: str
) -> None:
    """Check that groups fit into the database.

    :param groups: the groups of a device context.
    :param field: what error messages call them.
    :raises InvalidRequest: if they are too large.
    """
    # Of each, the alternative that takes the most.
    profile = [
        max(
            (each.as_profile_group() for each in group.alternatives),
            key=lambda each: len(json.dumps(each)),
        )
        for group in groups
    ]
    size = max(
        len(json.dumps([group.as_record() for group in groups])),
        len(json.dumps(profile)),
    )
    if size > MAX_STORED_SIZE:
        raise names.invalid(
            field,
            f'takes {size} bytes to store, {MAX_STORED_SIZE} are allowed. '
            'Use fewer traits, or less config data.',
        )


def check_accelerator_count(
    groups: collections.abc.Sequence[model.Choice], field: str, limit: int
) -> None:
    """Check how many accelerators groups ask for.

    :param groups: the groups of a device context.
    :param field: what error messages call them.
    :param limit: how many a server may have.
    :raises InvalidRequest: if they ask for more.
    """
    count = model.accelerator_count(groups)
    if count > limit:
        raise names.invalid(
            field,
            f'{count} accelerators are asked for, {limit} are allowed for a '
            'server ([nova_cyborg] max_accelerators_per_server).',
        )


def groups_from_profile(
    items: collections.abc.Sequence[collections.abc.Mapping[str, str]],
    name: str,
    field: str = 'device_profile',
) -> tuple[model.Choice, ...]:
    """Read the groups of one of Cyborg's device profiles.

    :param items: the groups as Cyborg has them; see
        :func:`group_from_profile`.
    :param name: the profile's name.
    :param field: what error messages call the profile.
    :returns: the groups.
    :raises InvalidRequest: if the profile has what a context cannot have.
    """
    _check_count(items, field, f'groups of profile {name}', MAX_GROUPS)
    groups = tuple(
        model.Choice((group_from_profile(item, field),)) for item in items
    )
    check_stored_size(groups, field)
    return groups


def group_from_profile(
    item: collections.abc.Mapping[str, str], field: str = 'device_profile'
) -> model.Group:
    """Read a group of one of Cyborg's device profiles.

    :param item: the group as Cyborg has it: ``resources:CLASS``,
        ``trait:NAME`` and ``accel:KEY`` with their values.
    :param field: what error messages call the profile.
    :returns: the group.
    :raises InvalidRequest: if the profile has what a context cannot have.
    """
    group: dict[str, ty.Any] = {
        'resources': {},
        'required': [],
        'forbidden': [],
        'config': {},
    }
    for key, value in item.items():
        kind, _colon, name = key.partition(':')
        name = name.strip()
        if kind == 'resources' and _AMOUNT.fullmatch(str(value)):
            group['resources'][name] = int(value)
        elif kind == 'trait' and value in ('required', 'forbidden'):
            group[value].append(name)
        elif kind == 'accel':
            group['config'][name] = value
        else:
            raise names.invalid(
                field,
                f'its entry {exception.shown(key)} cannot be understood.',
            )
    return parse_group(group, f'{field}: ')


def _check_count(
    items: collections.abc.Sized, field: str, what: str, limit: int
) -> None:
    if len(items) > limit:
        raise names.invalid(
            field, f'{len(items)} {what} are given, {limit} are allowed.'
        )


def _parse_resources(items: object, field: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(items, collections.abc.Mapping):
        raise names.invalid(field, 'must be an object of amounts by class.')
    if not items:
        raise names.invalid(field, 'at least one resource is needed.')
    _check_count(items, field, 'resource classes', MAX_RESOURCE_CLASSES)
    resources: dict[str, int] = {}
    for name, amount in items.items():
        resource_class = names.resource_class_name(name, field)
        if resource_class in resources:
            raise names.invalid(field, f'{resource_class} is given twice.')
        resources[resource_class] = _parse_amount(
            amount, f'{field}.{resource_class}'
        )
    return tuple(sorted(resources.items()))


def _parse_amount(amount: object, field: str) -> int:
    # A bool is an int in Python, and no amount.
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise names.invalid(
            field, f'"{exception.shown(amount)}" is not a whole number.'
        )
    if not 1 <= amount <= model.MAX_AMOUNT:
        raise names.invalid(
            field,
            f'{exception.shown(amount)} is not between 1 and '
            f'{model.MAX_AMOUNT}.',
        )
    return amount


def _parse_traits(items: object, field: str) -> tuple[str, ...]:
    if not isinstance(items, list | tuple):
        raise names.invalid(field, 'must be a list of traits.')
    _check_count(items, field, 'traits', MAX_TRAITS)
    return tuple(sorted({names.trait_name(item, field) for item in items}))


def _parse_tolerated(items: object, field: str) -> tuple[str, ...]:
    if not isinstance(items, list | tuple):
        raise names.invalid(field, 'must be a list of keys of taints.')
    _check_count(items, field, 'taints', MAX_TOLERATED)
    return tuple(sorted({names.taint_key(item, field) for item in items}))


def _parse_config(items: object, field: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(items, collections.abc.Mapping):
        raise names.invalid(field, 'must be an object of strings by key.')
    _check_count(items, field, 'keys', MAX_CONFIG_KEYS)
    config = {}
    for key, value in items.items():
        name = names.check_text(key, field, MAX_CONFIG_KEY_LENGTH, empty=False)
        if not _CONFIG_KEY.fullmatch(name):
            raise names.invalid(
                field,
                f'key "{name}" has characters other than letters, digits '
                'and "_.:-".',
            )
        config[name] = names.check_text(
            value, f'{field}.{name}', MAX_CONFIG_VALUE_LENGTH, empty=True
        )
    return tuple(sorted(config.items()))
