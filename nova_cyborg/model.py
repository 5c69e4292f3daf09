# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The request language of device contexts: pure data and functions, no I/O.

A device context is one or more **groups**. A group is what Placement calls a
granular request group: amounts of resource classes, required and forbidden
traits, all to be found on one resource provider; and config data, which
Cyborg hands to the device's driver.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import functools
import hashlib
import json
import re
import typing as ty

import os_resource_classes
import os_traits

from nova_cyborg import exception

#: Placement's and the database's largest amount (a signed 32 bit integer).
MAX_AMOUNT = 2**31 - 1
#: Placement's longest name of a resource class or a trait, in characters.
MAX_NAME_LENGTH = 255
MAX_GROUPS = 16
MAX_RESOURCE_CLASSES = 8
MAX_TRAITS = 50
MAX_CONFIG_KEYS = 32
MAX_CONFIG_KEY_LENGTH = 128
MAX_CONFIG_VALUE_LENGTH = 1024
#: Bytes that the groups of a context may take in a TEXT column of MySQL, in
#: our table and in Cyborg's.
MAX_STORED_SIZE = 2**16 - 1

#: What a server's copy of its flavor names as its device profile when only
#: device contexts give it accelerators.
FLAVOR_MARKER = 'device-context'
PROFILE_EXTRA_SPEC = 'accel:device_profile'
#: The scheduler hint that names a server's device contexts.
HINT = 'device_context_id'
#: How the names of the hidden device profiles begin.
PROFILE_PREFIX = 'nova-cyborg-'
REQUESTER_PREFIX = 'device_context_'

#: The standard resource classes that stand for accelerators. The others
#: (VCPU, MEMORY_MB ...) are the flavor's business.
ACCELERATOR_CLASSES = frozenset(
    (
        os_resource_classes.FPGA,
        os_resource_classes.PGPU,
        os_resource_classes.VGPU,
    )
)

_NAME = re.compile(r'[A-Za-z0-9_]+')
_CONFIG_KEY = re.compile(r'[A-Za-z0-9_.:-]+')
_PRINTABLE = re.compile(r'[\x20-\x7e]*')
_GROUP_FIELDS = frozenset(('resources', 'required', 'forbidden', 'config'))
# A Xilinx card is two PCI functions, and Cyborg makes two accelerator
# requests for each one that a profile asks for.
_TWO_FUNCTION_TRAIT = 'CUSTOM_FPGA_XILINX'


class Status:
    """The states of a device context, derived from what it holds."""

    AVAILABLE = 'available'
    RESERVED = 'reserved'
    BINDING = 'binding'
    BOUND = 'bound'
    ERROR = 'error'

    ALL = (AVAILABLE, RESERVED, BINDING, BOUND, ERROR)


# Cyborg's accelerator request states; cyborg.common.constants has them all.
_ARQ_BOUND = 'Bound'
_ARQ_FAILED = frozenset(('BindFailed', 'UnbindFailed'))


@dataclasses.dataclass(frozen=True)
class Group:
    """One request group, normalised.

    :ivar resources: amounts by resource class, as pairs sorted by class.
    :ivar required: traits the provider must have, sorted.
    :ivar forbidden: traits the provider must not have, sorted.
    :ivar config: config data, as key and value pairs sorted by key.
    """

    resources: tuple[tuple[str, int], ...]
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    config: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the group in the form of the API."""
        return {
            'resources': dict(self.resources),
            'required': list(self.required),
            'forbidden': list(self.forbidden),
            'config': dict(self.config),
        }

    @classmethod
    def from_dict(cls, item: collections.abc.Mapping[str, ty.Any]) -> Group:
        """Read what :meth:`as_dict` wrote.

        It is not checked again: a rule that gets stricter does not make
        what is stored already unreadable.

        :param item: the group in the form of the API.
        :returns: the group.
        """
        return cls(
            tuple(sorted(item['resources'].items())),
            tuple(item['required']),
            tuple(item['forbidden']),
            tuple(sorted(item['config'].items())),
        )

    @property
    def accelerator_count(self) -> int:
        """How many accelerator requests the group stands for.

        As Cyborg's ``ARQsController.post`` counts them for a profile.
        """
        count = sum(amount for _name, amount in self.resources)
        if _TWO_FUNCTION_TRAIT in self.required:
            count *= 2
        return count

    def as_profile_group(self) -> dict[str, str]:
        """Return the group in the form of a device profile of Cyborg."""
        group = {f'resources:{name}': str(n) for name, n in self.resources}
        group.update({f'trait:{name}': 'required' for name in self.required})
        group.update({f'trait:{name}': 'forbidden' for name in self.forbidden})
        group.update({f'accel:{key}': value for key, value in self.config})
        return group


@dataclasses.dataclass(frozen=True)
class Device:
    """An accelerator request (ARQ) of a device context, and its slot.

    :ivar arq_id: UUID of the accelerator request.
    :ivar group: number of the context's group it belongs to, from 0.
    :ivar state: Cyborg's state of the accelerator request.
    :ivar host: the node it is bound on, or being bound.
    :ivar resource_provider_id: UUID of the device's provider in Placement.
    :ivar attach_handle_type: ``PCI``, ``MDEV`` or ``TEST_PCI``; None before
        it is bound.
    :ivar attach_handle_id: UUID of the attach handle.
    :ivar attach_handle_info: Cyborg's address of the slot.
    """

    arq_id: str
    group: int
    state: str
    host: str | None = None
    resource_provider_id: str | None = None
    attach_handle_type: str | None = None
    attach_handle_id: str | None = None
    attach_handle_info: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )

    @property
    def failed(self) -> bool:
        """Whether it could not be bound or unbound."""
        return self.state in _ARQ_FAILED

    @property
    def slot(self) -> str | None:
        """The slot as an operator finds it on the host.

        :returns: the PCI address; for a mediated device its UUID, which is
            that of its attach handle; None before it is bound.
        """
        if self.attach_handle_type == 'MDEV':
            return self.attach_handle_id
        info = self.attach_handle_info
        if not info:
            return None
        return (
            f'{info["domain"]}:{info["bus"]}:{info["device"]}'
            f'.{info["function"]}'
        )

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the device in the form of the API."""
        fields = dataclasses.asdict(self)
        return fields | {'slot': self.slot}


@dataclasses.dataclass(frozen=True)
class DeviceContext:
    """A device context as its project sees it.

    :ivar server_id: UUID of the server whose allocation it is in; None when
        no server holds it.
    :ivar fault: why its binding failed.
    :ivar device_profile_id: UUID of the profile its groups were copied from.
    """

    uuid: str
    project_id: str
    user_id: str
    groups: tuple[Group, ...]
    name: str | None = None
    description: str | None = None
    delete_on_termination: bool = True
    device_profile_id: str | None = None
    server_id: str | None = None
    fault: str | None = None
    devices: tuple[Device, ...] = ()
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def status(self) -> str:
        """The state, which follows from the allocation and its ARQs."""
        states = {device.state for device in self.devices}
        if self.server_id is None:
            return Status.AVAILABLE
        if self.fault or any(device.failed for device in self.devices):
            return Status.ERROR
        if not states:
            return Status.RESERVED
        return Status.BOUND if states == {_ARQ_BOUND} else Status.BINDING

    @property
    def host(self) -> str | None:
        """The node its devices are on; None before binding begins."""
        return next((d.host for d in self.devices if d.host), None)


@dataclasses.dataclass(frozen=True)
class Allocation:
    """The device contexts that one server holds.

    :ivar generation: rises by one with each binding.
    :ivar fault: why the last binding failed.
    """

    server_id: str
    project_id: str
    generation: int
    fault: str | None
    device_contexts: tuple[DeviceContext, ...]


def parse_groups(items: object, field: str = 'groups') -> tuple[Group, ...]:
    """Read and normalise the groups of a request.

    :param items: groups in the form of the API: a list of objects with
        ``resources`` (an object of amounts, 1 to 2**31-1, by resource
        class), and optionally ``required``, ``forbidden`` (lists of traits)
        and ``config`` (an object of strings by key).
    :param field: what error messages call the list.
    :returns: the groups, in the given order.
    :raises InvalidRequest: naming the field that is wrong.
    """
    if not isinstance(items, list | tuple) or not items:
        raise _invalid(field, 'at least one group is needed.')
    _check_count(items, field, 'groups', MAX_GROUPS)
    groups = tuple(
        parse_group(item, f'{field}[{n}].') for n, item in enumerate(items)
    )
    check_stored_size(groups, field)
    return groups


def parse_group(item: object, prefix: str = '') -> Group:
    """Read and normalise one group; see :func:`parse_groups`.

    :param item: the group in the form of the API.
    :param prefix: what error messages put before the names of its fields.
    :returns: the group.
    :raises InvalidRequest: naming the field that is wrong.
    """
    if not isinstance(item, collections.abc.Mapping):
        raise _invalid(prefix.rstrip('.') or 'group', 'must be an object.')
    unknown = sorted(set(map(str, item)) - _GROUP_FIELDS)
    if unknown:
        raise _invalid(f'{prefix}{unknown[0]}', 'there is no such field.')
    required = _parse_traits(item.get('required', ()), f'{prefix}required')
    forbidden = _parse_traits(item.get('forbidden', ()), f'{prefix}forbidden')
    both = sorted(set(required) & set(forbidden))
    if both:
        raise _invalid(
            f'{prefix}forbidden',
            f'trait {both[0]} is both required and forbidden.',
        )
    return Group(
        _parse_resources(item.get('resources', {}), f'{prefix}resources'),
        required,
        forbidden,
        _parse_config(item.get('config', {}), f'{prefix}config'),
    )


def check_stored_size(
    groups: collections.abc.Sequence[Group], field: str
) -> None:
    """Check that groups fit into the database.

    :param groups: the groups of a device context.
    :param field: what error messages call them.
    :raises InvalidRequest: if they are too large.
    """
    size = max(
        len(json.dumps([group.as_dict() for group in groups])),
        len(json.dumps([group.as_profile_group() for group in groups])),
    )
    if size > MAX_STORED_SIZE:
        raise _invalid(
            field,
            f'takes {size} bytes to store, {MAX_STORED_SIZE} are allowed. '
            'Use fewer traits, or less config data.',
        )


def group_from_profile(
    item: collections.abc.Mapping[str, str], field: str = 'device_profile'
) -> Group:
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
        if kind == 'resources' and str(value).isdecimal():
            group['resources'][name] = int(value)
        elif kind == 'trait' and value in ('required', 'forbidden'):
            group[value].append(name)
        elif kind == 'accel':
            group['config'][name] = value
        else:
            raise _invalid(field, f'its entry {key} cannot be understood.')
    return parse_group(group, f'{field}: ')


def resource_class_name(name: object, field: str) -> str:
    """Return a resource class's name in Placement.

    :param name: a standard accelerator class, or a custom one with or
        without ``CUSTOM_``.
    :param field: what error messages call it.
    :returns: the name; other than standard ones begin with ``CUSTOM_``.
    :raises InvalidRequest: if it is no name of an accelerator's class.
    """
    text = _checked_name(name, field)
    if text in ACCELERATOR_CLASSES:
        return text
    if text in os_resource_classes.STANDARDS:
        known = ', '.join(sorted(ACCELERATOR_CLASSES))
        raise _invalid(
            field,
            f'{text} is not the resource class of an accelerator. Use one '
            f'of {known}, or a custom one.',
        )
    return _custom(text, os_resource_classes.CUSTOM_NAMESPACE, field)


def trait_name(name: object, field: str) -> str:
    """Return a trait's name in Placement.

    :param name: a standard trait, or a custom one with or without
        ``CUSTOM_``.
    :param field: what error messages call it.
    :returns: the name; other than standard ones begin with ``CUSTOM_``.
    :raises InvalidRequest: if it is no name of a trait.
    """
    text = _checked_name(name, field)
    if text in _standard_traits():
        return text
    return _custom(text, os_traits.CUSTOM_NAMESPACE, field)


def check_text(value: object, field: str, limit: int, empty: bool) -> str:
    """Check a text of printable ASCII.

    :param value: what was given.
    :param field: what error messages call it.
    :param limit: the longest text allowed, in characters.
    :param empty: whether it may be empty.
    :returns: the text.
    :raises InvalidRequest: if it is not such a text.
    """
    if not isinstance(value, str):
        raise _invalid(field, 'must be a string.')
    if not value.strip() and not empty:
        raise _invalid(field, 'must not be empty.')
    if len(value) > limit:
        raise _invalid(
            field, f'is {len(value)} characters long, {limit} are allowed.'
        )
    if not _PRINTABLE.fullmatch(value):
        raise _invalid(field, 'must be printable ASCII characters.')
    return value


def profile_name(groups: collections.abc.Sequence[Group]) -> str:
    """Name the hidden device profile that stands for some groups.

    The name is made of nothing but the groups, so that equal requests of
    all projects share one profile, and it tells nothing about a project.

    :param groups: the groups of a device context.
    :returns: the name, 44 characters long.
    """
    text = json.dumps([group.as_dict() for group in groups], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{PROFILE_PREFIX}{digest[:32]}'


def requester_id(context_id: str, group: int) -> str:
    """Name a request group of a server's request to Placement.

    :param context_id: the UUID of a device context.
    :param group: the number of the group in it, from 0.
    :returns: the name; Placement allows 64 characters, these are 53 or 54.
    """
    return f'{REQUESTER_PREFIX}{context_id}_{group}'


def parse_requester_id(requester: str) -> tuple[str, int] | None:
    """Read what :func:`requester_id` wrote.

    :param requester: the name of a request group.
    :returns: the device context's UUID and the group's number in it; None
        for a group that does not belong to a device context.
    """
    if not requester.startswith(REQUESTER_PREFIX):
        return None
    name = requester[len(REQUESTER_PREFIX) :]
    context_id, _sep, group = name.rpartition('_')
    return (context_id, int(group)) if group.isdecimal() else None


def _invalid(field: str, reason: str) -> exception.InvalidRequest:
    return exception.InvalidRequest(field=field, reason=reason)


@functools.cache
def _standard_traits() -> frozenset[str]:
    # Collecting them walks all modules of os-traits: once a process.
    return frozenset(os_traits.get_traits())


def _checked_name(name: object, field: str) -> str:
    text = check_text(name, field, MAX_NAME_LENGTH, empty=False)
    if not _NAME.fullmatch(text):
        raise _invalid(
            field,
            f'"{text}" has characters other than letters, digits and '
            'underscores.',
        )
    return text.upper()


def _custom(text: str, namespace: str, field: str) -> str:
    if not text.startswith(namespace):
        text = namespace + text
    if text == namespace:
        raise _invalid(field, f'"{text}" has no name after its prefix.')
    if len(text) > MAX_NAME_LENGTH:
        raise _invalid(
            field, f'is longer than {MAX_NAME_LENGTH} characters as {text}.'
        )
    return text


def _check_count(
    items: collections.abc.Sized, field: str, what: str, limit: int
) -> None:
    if len(items) > limit:
        raise _invalid(
            field, f'{len(items)} {what} are given, {limit} are allowed.'
        )


def _parse_resources(items: object, field: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(items, collections.abc.Mapping):
        raise _invalid(field, 'must be an object of amounts by class.')
    if not items:
        raise _invalid(field, 'at least one resource is needed.')
    _check_count(items, field, 'resource classes', MAX_RESOURCE_CLASSES)
    resources: dict[str, int] = {}
    for name, amount in items.items():
        resource_class = resource_class_name(name, field)
        if resource_class in resources:
            raise _invalid(field, f'{resource_class} is given twice.')
        resources[resource_class] = _parse_amount(
            amount, f'{field}.{resource_class}'
        )
    return tuple(sorted(resources.items()))


def _parse_amount(amount: object, field: str) -> int:
    # A bool is an int in Python, and no amount.
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise _invalid(field, f'"{amount}" is not a whole number.')
    if not 1 <= amount <= MAX_AMOUNT:
        raise _invalid(field, f'{amount} is not between 1 and {MAX_AMOUNT}.')
    return amount


def _parse_traits(items: object, field: str) -> tuple[str, ...]:
    if not isinstance(items, list | tuple):
        raise _invalid(field, 'must be a list of traits.')
    _check_count(items, field, 'traits', MAX_TRAITS)
    return tuple(sorted({trait_name(item, field) for item in items}))


def _parse_config(items: object, field: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(items, collections.abc.Mapping):
        raise _invalid(field, 'must be an object of strings by key.')
    _check_count(items, field, 'keys', MAX_CONFIG_KEYS)
    config = {}
    for key, value in items.items():
        name = check_text(key, field, MAX_CONFIG_KEY_LENGTH, empty=False)
        if not _CONFIG_KEY.fullmatch(name):
            raise _invalid(
                field,
                f'key "{name}" has characters other than letters, digits '
                'and "_.:-".',
            )
        config[name] = check_text(
            value, f'{field}.{name}', MAX_CONFIG_VALUE_LENGTH, empty=True
        )
    return tuple(sorted(config.items()))
