# SPDX-License-Identifier: Apache-2.0

"""What was found, in words: one sentence that says what to change.

It is shown to members of a project, and names neither hosts nor numbers of
what there is. Nova cuts a server's fault at 255 characters.
"""

from __future__ import annotations

import collections.abc
import dataclasses

from nova_cyborg import model
from nova_cyborg.explaining import requirements, search

# Characters of a name; the longest ones would leave no room for the rest.
_SHOWN = 64
_Kind = requirements.Kind
_UNITS = {
    'VCPU': '{} vCPUs',
    'PCPU': '{} dedicated CPUs',
    'MEMORY_MB': '{} MB of memory',
    'DISK_GB': '{} GB of disk',
}
_LIST = '"device context options" lists'

FITS = 'A host has all of it free.'
REFUSED = (
    'A host has all of it free, but Nova took none: try again, or ask the '
    'administrator which filter of the scheduler refuses.'
)
NAMED = (
    'A host has all of it free, but perhaps not the one that was asked for: '
    'ask for no certain host.'
)
LEFT = (
    'A host has all of it free, but perhaps only the one that the server is '
    'to leave: wait until another one has, or ask the administrator.'
)
#: What follows a sentence about the first alternatives.
NO_OTHER = ' None of the alternatives fits either.'
_NOT_ALL = (
    ' Not all of the alternatives were looked into, so another one may fit.'
)
UNKNOWN = 'Why was not found in time: ask for less, or ask the administrator.'
#: Where it is not even known whether a host has it.
UNDECIDED = (
    'Whether a host has all of it free was not found out in time: try again, '
    'or ask the administrator.'
)
# Where alternatives have left no time for why.
_ONE_BY_ONE = (
    'No host has all of it free with the first alternatives; explain them by '
    'themselves to be told why.'
)


@dataclasses.dataclass(frozen=True)
class Units:
    """How many units there are of what a group asks for, free or not.

    :ivar total: all, of devices with the class and the traits.
    :ivar maintained: of them, those of devices in maintenance.
    :ivar used: of them, those that servers have.
    :ivar free: of them, those that a server would get.
    :ivar most: those of the device that has the most, free or not.
    """

    total: int = 0
    maintained: int = 0
    used: int = 0
    free: int = 0
    most: int = 0


#: Counts units, by the resource classes and the traits that a device must
#: have, all of them.
Count = collections.abc.Callable[[tuple[str, ...], tuple[str, ...]], Units]


#: The groups of all device contexts, by combination of their alternatives.
_Picks = collections.abc.Sequence[collections.abc.Sequence[requirements.Asked]]


def sentence(found: search.Found, picks: _Picks, count: Count) -> str:
    """Say why no host has what is asked for, and what to change.

    :param found: what was found.
    :param picks: the groups, with each combination of their alternatives.
    :param count: counts units, when that says more.
    :returns: the sentence.
    """
    if found.failing is None:
        if found.pick:
            return f'{FITS[:-1]}, with {_others(picks, found.pick)}.'
        return FITS
    text = _unknown(found, len(picks) > 1)
    if found.known:
        failing = found.requirements[found.failing]
        text = _reason(found, failing, picks[found.pick], count)
    if len(picks) == 1:
        return text
    return text + (_NOT_ALL if None in found.fits else NO_OTHER)


def _unknown(found: search.Found, has_alternatives: bool) -> str:
    """Say that it is not known why."""
    if found.fits[found.pick] is None:
        return UNDECIDED
    return _ONE_BY_ONE if has_alternatives else UNKNOWN


def no_such_profile(name: str) -> str:
    """Say that the flavor names a device profile that there is not.

    :param name: the name of the profile.
    :returns: the sentence.
    """
    return (
        f'The flavor names device profile {_cut(name)}, which there is not, '
        'so that no server can be booted with it: choose another flavor, or '
        'ask the administrator.'
    )


def alternatives(picks: _Picks, number: int) -> str:
    """Say what a combination of alternatives is, for a table.

    :param picks: the groups, with each combination of their alternatives.
    :param number: the number of the combination.
    :returns: some words.
    """
    words = _others(picks, number) if number else 'the first alternatives'
    return f'or all of it with {words}'


def _others(picks: _Picks, number: int) -> str:
    """Name the alternatives of a combination that are not the first."""
    pairs = zip(picks[0], picks[number], strict=True)
    return ' and '.join(
        _cut(each.label) for first, each in pairs if each.label != first.label
    )


def _reason(
    found: search.Found,
    failing: requirements.Requirement,
    asked: collections.abc.Sequence[requirements.Asked],
    count: Count,
) -> str:
    if failing.group is None:
        return _of_host(failing)
    each = asked[failing.group]
    if found.apart:
        scarce = _scarce(each.group, asked, count)
        if scarce:
            return scarce
    text = _of_group(found, failing, each, count)
    # With one group, which one is no question.
    label = _cut(each.label[:1].upper() + each.label[1:])
    return f'{label}: {text}' if len(asked) > 1 else text


def _scarce(
    group: model.Group,
    asked: collections.abc.Sequence[requirements.Asked],
    count: Count,
) -> str | None:
    """Say of which class all groups want more than is free anywhere.

    :param group: a group that is free by itself.
    """
    for name, _amount in group.resources:
        # With the traits of the group, others count that have those, too.
        for traits in dict.fromkeys(((), group.required)):
            wanted = sum(
                dict(each.group.resources).get(name, 0)
                for each in asked
                if set(traits).issubset(each.group.required)
            )
            if wanted > count((name,), traits).free:
                return (
                    f'The groups together ask for more {_cut(name)}'
                    f'{_with_traits(traits)} than are free: ask for fewer, or '
                    'wait until more are free.'
                )
    return None


def requirement(
    found: requirements.Requirement,
    asked: collections.abc.Sequence[requirements.Asked],
) -> str:
    """Say what a requirement is, for a table.

    :param found: the requirement.
    :param asked: the groups.
    :returns: some words.
    """
    name, amount = found.name, found.amount
    words = {
        _Kind.RESOURCE_CLASS: f'a device of class {name} is free',
        _Kind.AMOUNT: f'one device has {amount} {name} free',
        _Kind.TRAIT: f'it has trait {name}',
        _Kind.FORBIDDEN_TRAIT: f'it does not have trait {name}',
        _Kind.FLAVOR_RESOURCE: f'the host has {_amount(found)} free',
        _Kind.HOST_TRAIT: f'the host has trait {name}',
        _Kind.FORBIDDEN_HOST_TRAIT: f'the host does not have trait {name}',
        _Kind.HOST_ENABLED: 'the host is enabled',
        _Kind.HOST_ABLE: 'the host gives devices to servers',
        _Kind.PLACE: 'the host is where it was asked for',
        _Kind.OTHER: 'the host has what else was asked for',
    }[found.kind]
    if found.group is None:
        return words
    return f'{asked[found.group].label}: {words}'


def _of_group(
    found: search.Found,
    failing: requirements.Requirement,
    each: requirements.Asked,
    count: Count,
) -> str:
    name = _cut(failing.name)
    if found.missing:
        if failing.kind == _Kind.TRAIT:
            return (
                f'No device of this cloud has trait {name}: leave it out, or '
                f'ask for one that {_LIST}.'
            )
        return _no_such_class(name)
    if found.apart:
        return (
            'it is free somewhere, but no single host has all groups: leave '
            'it out, or boot another server with it.'
        )
    if failing.kind == _Kind.RESOURCE_CLASS:
        classes = tuple(name for name, _amount in each.group.resources)
        text = _no_such_device(classes, count) if len(classes) > 1 else None
        return text or _none_free(name, count((failing.name,), ()))
    if failing.kind == _Kind.AMOUNT:
        return (
            f'No one device has {failing.amount} {name} free: ask for fewer, '
            'or for them in several groups.'
        )
    if failing.kind == _Kind.TRAIT:
        return _no_trait(failing, each.group, count)
    if failing.name.startswith(model.TAINT_PREFIX):
        key = model.taint_key(failing.name)
        return (
            f'Each device that is free is tainted with {key}: tolerate that, '
            'or ask the administrator.'
        )
    return (
        f'Each device that is free has trait {name}, which is forbidden: do '
        'not forbid it.'
    )


def _no_such_device(classes: tuple[str, ...], count: Count) -> str | None:
    """Say that no device is of several classes, however long one waits."""
    if count(classes, ()).total:
        return None
    for name in classes:
        if not count((name,), ()).total:
            return _no_such_class(_cut(name))
    return (
        f'No one device is of the classes {_and(classes)}: ask for each in a '
        'group of its own.'
    )


def _none_free(name: str, units: Units) -> str:
    if not units.total:
        return _no_such_class(name)
    if units.maintained == units.total:
        return (
            f'All devices of class {name} are in maintenance: wait until one '
            'is back, or ask for another class.'
        )
    return (
        f'All units of {name} are {_where(units)}: wait until one is free, or '
        'ask for another class.'
    )


def _where(units: Units) -> str:
    if units.used < units.total:
        return 'used, in maintenance or kept back'
    return 'used'


def _no_trait(
    failing: requirements.Requirement, group: model.Group, count: Count
) -> str:
    name = _cut(failing.name)
    classes = tuple(each for each, _amount in group.resources)
    before = group.required[: group.required.index(failing.name)]
    units = count(classes, (*before, failing.name))
    of_class = ', '.join(map(_cut, classes))
    if not units.total:
        beside = f' beside {_listed(before)}' if before else ''
        return (
            f'No device of class {of_class} has trait {name}{beside}: ask for '
            'another class, or leave the trait out.'
        )
    # One device has to have all of it.
    amount = max(amount for _name, amount in group.resources)
    if amount > units.most or (amount > 1 and units.free):
        free = ' free' if amount <= units.most else ''
        return (
            f'No one device with trait {name} has {amount} {of_class}{free}: '
            'ask for fewer, or leave the trait out.'
        )
    if units.maintained == units.total:
        return (
            f'All {of_class} with trait {name} are in maintenance: wait until '
            'one is back, or leave the trait out.'
        )
    until = ' until one is free' if units.used == units.total else ''
    return (
        f'All {of_class} with trait {name} are {_where(units)}: wait{until}, '
        'or leave the trait out.'
    )


def _with_traits(traits: tuple[str, ...]) -> str:
    if not traits:
        return ''
    name, *others = traits
    return ' with the same traits' if others else f' with trait {_cut(name)}'


def _listed(names: collections.abc.Iterable[str]) -> str:
    return ', '.join(map(_cut, names))


def _and(names: collections.abc.Sequence[str]) -> str:
    """Name two or more; of many, there is room for the first two."""
    if len(names) == 2:
        return ' and '.join(map(_cut, names))
    return f'{_listed(names[:2])} and {len(names) - 2} more'


def _no_such_class(name: str) -> str:
    return (
        f'No device of this cloud is of class {name}: ask for a class that '
        f'{_LIST}.'
    )


def _of_host(failing: requirements.Requirement) -> str:
    hosts = 'No host that has the devices free'
    name = _cut(failing.name)
    return {
        _Kind.FLAVOR_RESOURCE: (
            f'{hosts} has {_amount(failing)} free: choose a smaller flavor.'
        ),
        _Kind.HOST_TRAIT: (
            f'{hosts}, and what the flavor needs, has trait {name}: choose '
            'another flavor or image.'
        ),
        _Kind.FORBIDDEN_HOST_TRAIT: (
            f'Each host that has all of it free has trait {name}, which is '
            'forbidden: choose another flavor or image.'
        ),
        _Kind.HOST_ENABLED: (
            'The hosts that have all of it free are disabled: wait until one '
            'is enabled, or ask the administrator.'
        ),
        _Kind.HOST_ABLE: (
            'The hosts that have all of it free give no devices to servers: '
            'ask the administrator.'
        ),
        _Kind.PLACE: (
            f'{hosts} is in the availability zone, the aggregate or the '
            'place that was asked for: choose another one, or none.'
        ),
        _Kind.OTHER: (
            f'{hosts} has what ports, or the device profile or other groups '
            'of the flavor, ask for: leave a port out, or choose another '
            'flavor.'
        ),
    }[failing.kind]


def _amount(found: requirements.Requirement) -> str:
    words = _UNITS.get(found.name)
    if words:
        return words.format(found.amount)
    return f'{found.amount} {_cut(found.name)}'


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN else f'{name[: _SHOWN - 3]}...'
