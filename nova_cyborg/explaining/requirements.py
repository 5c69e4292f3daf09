# SPDX-License-Identifier: Apache-2.0

"""What is asked of Placement for a server, requirement by requirement."""

from __future__ import annotations

import collections.abc
import dataclasses
import re
from urllib import parse

from nova_cyborg import exception, model

#: Devices that Nova itself manages have no slot of Cyborg's.
NOT_OURS = ('COMPUTE_MANAGED_PCI_DEVICE', 'OWNER_NOVA')
#: What a host must have, and must not have, whatever the flavor says.
DISABLED = 'COMPUTE_STATUS_DISABLED'
ABLE = 'COMPUTE_ACCELERATORS'

#: The parameter for what the provider of the host itself must have.
ROOT = 'root_required'

_RESOURCES = 'resources'
_REQUIRED = 'required'
_POLICY = 'group_policy'
# Amounts that Placement can store have no more digits.
_AMOUNT = re.compile('0*[1-9][0-9]{0,9}')
# In the place of the name of a resource class: the value is taken as it is.
_PLAIN = ''

#: What Nova requires of each host that is to give devices to a server.
HOST_TRAITS = ((ROOT, ABLE), (ROOT, f'!{DISABLED}'))


class Kind:
    """What a requirement is about."""

    RESOURCE_CLASS = 'resource_class'
    AMOUNT = 'amount'
    TRAIT = 'trait'
    FORBIDDEN_TRAIT = 'forbidden_trait'
    FLAVOR_RESOURCE = 'flavor_resource'
    HOST_TRAIT = 'host_trait'
    FORBIDDEN_HOST_TRAIT = 'forbidden_host_trait'
    HOST_ENABLED = 'host_enabled'
    HOST_ABLE = 'host_able'
    PLACE = 'place'
    OTHER = 'other'
    #: All that is asked for, with another combination of alternatives.
    ALTERNATIVES = 'alternatives'

    ALL = (
        RESOURCE_CLASS,
        AMOUNT,
        TRAIT,
        FORBIDDEN_TRAIT,
        FLAVOR_RESOURCE,
        HOST_TRAIT,
        FORBIDDEN_HOST_TRAIT,
        HOST_ENABLED,
        HOST_ABLE,
        PLACE,
        OTHER,
        ALTERNATIVES,
    )


_KINDS = {
    ABLE: Kind.HOST_ABLE,
    'OWNER_NOVA': Kind.HOST_ABLE,
    f'!{DISABLED}': Kind.HOST_ENABLED,
}

#: Parts of a query: a parameter, a name in it, and the name's amount.
_Part = tuple[str, str, str]


@dataclasses.dataclass(frozen=True)
class Asked:
    """A group of a device context, as Placement is asked for it.

    :ivar label: what people call it.
    :ivar group: the group, which forbids the taints that it does not
        tolerate.
    """

    label: str
    group: model.Group


@dataclasses.dataclass(frozen=True)
class Server:
    """What is asked for beside device contexts.

    :ivar resources: amounts by resource class, as pairs.
    :ivar traits: pairs of a parameter of the query, and a trait that the host
        must have; one that it must not have begins with ``!``.
    :ivar others: other parameters of the query, as Nova has them.
    """

    resources: tuple[tuple[str, int], ...] = ()
    traits: tuple[tuple[str, str], ...] = HOST_TRAITS
    others: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Requirement:
    """One thing that is asked for.

    :ivar kind: one of :class:`Kind`.
    :ivar name: a resource class or a trait; for others a word.
    :ivar amount: how much; 0 where that says nothing.
    :ivar group: the number of the group that it is of; None if it is not of
        one.
    :ivar parts: what it adds to a query.
    """

    kind: str
    name: str
    amount: int = 0
    group: int | None = None
    parts: tuple[_Part, ...] = ()


def of_server(
    asked: collections.abc.Iterable[Asked], server: Server
) -> list[Requirement]:
    """Put all that is asked for in the order in which it is looked at.

    :param asked: the groups of all device contexts.
    :param server: what is asked for besides.
    :returns: the requirements; devices first.
    """
    found: list[Requirement] = []
    for number, each in enumerate(asked):
        found += _of_group(number, each.group)
    # What few hosts lack comes last.
    found += (
        Requirement(
            Kind.FLAVOR_RESOURCE,
            name,
            amount,
            parts=((_RESOURCES, name, str(amount)),),
        )
        for name, amount in server.resources
    )
    found += map(_of_host, sorted(server.traits, key=_order))
    found += _of_others(server.others)
    return found


def _of_group(
    number: int, group: model.Group
) -> collections.abc.Iterator[Requirement]:
    resources, required = f'{_RESOURCES}_{number}', f'{_REQUIRED}_{number}'
    not_ours = tuple(
        (required, f'!{name}', '')
        for name in NOT_OURS
        if name not in group.required
    )
    for name, _amount in group.resources:
        yield Requirement(
            Kind.RESOURCE_CLASS,
            name,
            1,
            number,
            ((resources, name, '1'), *not_ours),
        )
    for name, amount in group.resources:
        if amount > 1:
            part = (resources, name, str(amount))
            yield Requirement(Kind.AMOUNT, name, amount, number, (part,))
    for name in group.required:
        part = (required, name, '')
        yield Requirement(Kind.TRAIT, name, 0, number, (part,))
    for name in group.forbidden:
        if name not in NOT_OURS and name not in group.required:
            part = (required, f'!{name}', '')
            yield Requirement(Kind.FORBIDDEN_TRAIT, name, 0, number, (part,))


def _of_host(trait: tuple[str, str]) -> Requirement:
    key, text = trait
    name = text.removeprefix('!')
    kind = Kind.HOST_TRAIT if name == text else Kind.FORBIDDEN_HOST_TRAIT
    return Requirement(_KINDS.get(text, kind), name, parts=((key, text, ''),))


def _order(trait: tuple[str, str]) -> tuple[bool, bool, str]:
    """What people have asked for comes before what Nova always asks for."""
    text = trait[1]
    return text in _KINDS, text.startswith('!'), text


def _of_others(
    others: collections.abc.Iterable[tuple[str, str]],
) -> collections.abc.Iterator[Requirement]:
    """Put the rest of a query into two: groups of others, and where."""
    places: list[_Part] = []
    groups: list[_Part] = []
    for key, value in others:
        if key in ('member_of', 'in_tree'):
            places.append((key, _PLAIN, value))
        elif key.startswith(_RESOURCES):
            groups += (
                (key, name, str(amount)) for name, amount in _amounts(value)
            )
        elif key.startswith(_REQUIRED) and not value.startswith('in:'):
            names = (name for name in value.split(',') if name)
            groups += ((key, name, '') for name in names)
        else:
            groups.append((key, _PLAIN, value))
    if groups:
        yield Requirement(Kind.OTHER, 'others', parts=tuple(groups))
    if places:
        yield Requirement(Kind.PLACE, 'place', parts=tuple(places))


def query(found: collections.abc.Iterable[Requirement], limit: int) -> str:
    """Write what Placement is asked with.

    :param found: the requirements.
    :param limit: how many candidates it is to name at most.
    :returns: the query of a request for candidates.
    """
    by_key: dict[str, dict[str, str]] = {}
    pairs: list[tuple[str, str]] = [('limit', str(limit))]
    for requirement in found:
        for key, name, value in requirement.parts:
            if name == _PLAIN:
                pairs.append((key, value))
            else:
                by_key.setdefault(key, {})[name] = value
    if not any(key == _POLICY for key, _value in pairs):
        pairs.append((_POLICY, 'none'))
    pairs += (
        (
            key,
            ','.join(
                f'{name}:{value}' if value else name
                for name, value in items.items()
            ),
        )
        for key, items in by_key.items()
    )
    return parse.urlencode(pairs)


def names_unknown(
    found: Requirement,
    classes: collections.abc.Container[str],
    traits: collections.abc.Container[str],
) -> bool:
    """Tell whether groups of others ask for what there is not.

    :param found: a requirement of kind :attr:`Kind.OTHER`.
    :param classes: the resource classes that there are.
    :param traits: the traits that some provider has.
    :returns: whether they do.
    """
    return any(
        name not in (classes if amount else traits)
        for _key, name, amount in found.parts
        if name != _PLAIN and not name.startswith('!')
    )


def without_unknown(
    found: collections.abc.Iterable[Requirement],
    traits: collections.abc.Container[str],
) -> list[Requirement]:
    """Leave out of queries what forbids traits that no provider has.

    Placement refuses what it does not know.

    :param found: the requirements.
    :param traits: the traits that some provider has.
    :returns: the requirements.
    """
    return [
        dataclasses.replace(
            each,
            parts=tuple(
                part
                for part in each.parts
                if not part[1].startswith('!') or part[1][1:] in traits
            ),
        )
        for each in found
    ]


def read(
    text: str, names: collections.abc.Mapping[str, str]
) -> tuple[list[Asked], Server]:
    """Read what Nova would ask Placement with.

    :param text: the query, as Nova's scheduler makes it.
    :param names: what people call device contexts, by UUID.
    :returns: the groups of device contexts, and what is asked for besides.
    :raises InvalidRequest: if it cannot be read, or asks for nothing.
    """
    ours: dict[str, dict[str, str]] = {}
    plain: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    for key, value in parse.parse_qsl(text):
        word, prefix, rest = key.partition(model.REQUESTER_PREFIX)
        if model.parse_requester_id(prefix + rest):
            ours.setdefault(prefix + rest, {})[word] = value
        elif key in (_RESOURCES, _REQUIRED, ROOT):
            plain[key] = value
        elif key != 'limit' and (key, value) != (_POLICY, 'none'):
            others.append((key, value))
    asked = [
        Asked(_label(requester, names), _group(parts))
        for requester, parts in sorted(ours.items())
        if _RESOURCES in parts
    ]
    traits = tuple(
        (key, name)
        for key in (_REQUIRED, ROOT)
        for name in plain.get(key, '').split(',')
        if name
    )
    resources = _amounts(plain.get(_RESOURCES, ''))
    if not asked and not resources:
        raise exception.InvalidRequest(
            field='query', reason='it asks for no resources'
        )
    return asked, Server(resources, traits, tuple(others))


def _label(requester: str, names: collections.abc.Mapping[str, str]) -> str:
    parsed = model.parse_requester_id(requester) or ('', 0, 0)
    context_id, number, alternative = parsed
    name = names.get(context_id, context_id) if len(names) > 1 else None
    return label(number, alternative, name)


def label(group: int, alternative: int, name: str | None) -> str:
    """Name a group for people.

    :param group: its number.
    :param alternative: the number of its alternative.
    :param name: what its device context is called; None if there is no other.
    :returns: such as ``group 0``.
    """
    words = f'group {group}'
    if alternative:
        words = f'alternative {alternative} of {words}'
    return words if name is None else f'{words} of {name}'


def _group(parts: collections.abc.Mapping[str, str]) -> model.Group:
    required, forbidden = _traits(parts.get(_REQUIRED, ''))
    return model.Group(_amounts(parts[_RESOURCES]), required, forbidden)


def _amounts(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in filter(None, text.split(',')):
        name, _colon, amount = item.partition(':')
        if not name or not _AMOUNT.fullmatch(amount):
            raise exception.InvalidRequest(
                field='query',
                reason=f'"{exception.shown(item)}" is no amount of a resource',
            )
        found.append((name, int(amount)))
    return tuple(found)


def _traits(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [name for name in text.split(',') if name]
    return (
        tuple(name for name in names if not name.startswith('!')),
        tuple(name[1:] for name in names if name.startswith('!')),
    )
