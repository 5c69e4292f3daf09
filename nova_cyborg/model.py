# SPDX-License-Identifier: Apache-2.0

"""Device contexts and what belongs to them: pure data, no I/O.

A device context is one or more **groups**. A group is what Placement calls a
granular request group: amounts of resource classes, required and forbidden
traits, all to be found on one resource provider; and config data, which
Cyborg hands to the device's driver. It may list several such, of which the
first that is available is chosen: its **alternatives**.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import hashlib
import json
import math
import re
import typing as ty

#: Amounts by resource class, by UUID of the resource provider.
Amounts = collections.abc.Mapping[str, collections.abc.Mapping[str, int]]
#: What a server's copy of its flavor names as its device profile when only
#: device contexts give it accelerators.
FLAVOR_MARKER = 'device-context'
PROFILE_EXTRA_SPEC = 'accel:device_profile'
#: In a server's system metadata, which users do not see, if it was booted with
#: device contexts: its flavor may name a device profile as well.
SYSTEM_METADATA_KEY = 'nova_cyborg_device_contexts'
#: The scheduler hint that names a server's device contexts.
HINT = 'device_context_id'
#: What is wrong with a hint such as ``A,,B``.
NOTHING_NAMED = (
    'it names a device context with no characters. Put one comma between two '
    'UUIDs, and none at either end.'
)
#: How the names of the hidden device profiles begin.
PROFILE_PREFIX = 'nova-cyborg-'
#: The attribute of a deployable whose slots are cleaned when servers have
#: given them back. Its value is the number of seconds that one may take.
CLEANING_ATTRIBUTE = 'cleaning'
#: The attribute of a deployable whose device is sick. Its value is a sentence:
#: what is wrong with it.
HEALTH_ATTRIBUTE = 'health'
REQUESTER_PREFIX = 'device_context_'
_REQUESTER = re.compile(f'{REQUESTER_PREFIX}([^_]+)_([0-9]+)(?:_([0-9]+))?')
#: How the trait begins that a tainted device has in Placement.
TAINT_PREFIX = 'CUSTOM_TAINT_'
#: The most device contexts that are looked at for one server, whatever the
#: operators allow.
MAX_CONTEXTS = 64
#: Placement's and the database's largest amount (a signed 32 bit integer).
MAX_AMOUNT = 2**31 - 1
#: The most characters of what went wrong with a device context.
MAX_FAULT = 4096
#: The most combinations of alternatives that are tried for one server.
MAX_PICKS = 16

# A Xilinx card is two PCI functions, and Cyborg makes two accelerator
# requests for each one that a profile asks for.
_TWO_FUNCTION_TRAIT = 'CUSTOM_FPGA_XILINX'

#: A combination of alternatives: which one of each group, in their order.
Pick: ty.TypeAlias = tuple[int, ...]


class Status:
    """The states of a device context, derived from what it holds."""

    AVAILABLE = 'available'
    RESERVED = 'reserved'
    BINDING = 'binding'
    BOUND = 'bound'
    ERROR = 'error'
    #: Its server is getting it, or is losing it, while it exists.
    ATTACHING = 'attaching'
    DETACHING = 'detaching'

    ALL = (
        AVAILABLE,
        RESERVED,
        BINDING,
        BOUND,
        ERROR,
        ATTACHING,
        DETACHING,
    )


class Transition:
    """What is being done with a device context and a server that exists."""

    ATTACHING = Status.ATTACHING
    DETACHING = Status.DETACHING

    ALL = (ATTACHING, DETACHING)


class BindingState:
    """The states of a server's bindings; at most one of a server is active."""

    #: Its guest has these devices, or is about to have them.
    ACTIVE = 'active'
    #: The server is to be moved there, and another binding is active.
    INACTIVE = 'inactive'
    #: The server was moved from there, and may be moved back.
    LEAVING = 'leaving'

    ALL = (ACTIVE, INACTIVE, LEAVING)


class LiveMigration:
    """What becomes of devices when their server is migrated while it runs."""

    #: The server is not migrated.
    REFUSE = 'refuse'
    #: The guest has them taken out, and others plugged in on the new host.
    DETACH = 'detach'
    #: They move with their state, if their drivers can do that.
    NATIVE = 'native'

    ALL = (REFUSE, DETACH, NATIVE)


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
    :ivar tolerated: keys of the taints that the device may have, sorted.
    """

    resources: tuple[tuple[str, int], ...]
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    config: tuple[tuple[str, str], ...] = ()
    tolerated: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the group in the form of the API."""
        return {
            'resources': dict(self.resources),
            'required': list(self.required),
            'forbidden': list(self.forbidden),
            'config': dict(self.config),
            'tolerated': list(self.tolerated),
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
            # What was stored before there were taints has none.
            tuple(item.get('tolerated', ())),
        )

    def refusing(self, taints: collections.abc.Iterable[str]) -> Group:
        """Return the group as Placement is asked for it.

        :param taints: the keys of all taints that devices have.
        :returns: the group, which also forbids the traits of the taints that
            it neither tolerates nor requires.
        """
        refused = {
            taint_trait(key) for key in taints if key not in self.tolerated
        }
        refused.difference_update(self.required)
        if not refused:
            return self
        forbidden = tuple(sorted(refused.union(self.forbidden)))
        return dataclasses.replace(self, forbidden=forbidden)

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


# Of what is stored, and what Nova is told: the alternatives but the first.
_OTHERS = 'others'


@dataclasses.dataclass(frozen=True)
class Choice:
    """A group of a device context: what it asks for, or what else would do.

    :ivar alternatives: of these, the first one that is available is chosen.
        With one, there is nothing to choose.
    """

    alternatives: tuple[Group, ...]

    def as_dict(self, chosen: int | None = None) -> dict[str, ty.Any]:
        """Return the group in the form of the API.

        :param chosen: the number of the alternative that was chosen, if one
            was.
        """
        if len(self.alternatives) == 1:
            return self.alternatives[0].as_dict()
        return {
            'first_available': [each.as_dict() for each in self.alternatives],
            'chosen': chosen,
        }

    def as_record(self) -> dict[str, ty.Any]:
        """Return the group as it is stored, and as Nova is told of it.

        An earlier release reads the first alternative, and no other.
        """
        first, *others = (each.as_dict() for each in self.alternatives)
        return {**first, _OTHERS: others} if others else first

    @classmethod
    def from_record(cls, item: collections.abc.Mapping[str, ty.Any]) -> Choice:
        """Read what :meth:`as_record` wrote.

        :param item: the group as it is stored.
        :returns: the group.
        """
        items = (item, *item.get(_OTHERS, ()))
        return cls(tuple(map(Group.from_dict, items)))

    @property
    def accelerator_count(self) -> int:
        """How many accelerator requests the group may stand for."""
        return max(each.accelerator_count for each in self.alternatives)

    @property
    def resources(self) -> tuple[tuple[str, int], ...]:
        """The most that it may have of each resource class.

        Not all of it together: that of the dearest alternative of each class.
        """
        most: dict[str, int] = {}
        for each in self.alternatives:
            for name, amount in each.resources:
                most[name] = max(amount, most.get(name, 0))
        return tuple(sorted(most.items()))


def taint_trait(key: str) -> str:
    """Name the trait that a device with a taint has in Placement.

    :param key: the key of the taint.
    :returns: such as ``CUSTOM_TAINT_ECC_ERRORS``.
    """
    return TAINT_PREFIX + key.upper().replace('-', '_')


def taint_key(trait: str) -> str:
    """Read what :func:`taint_trait` wrote.

    :param trait: the trait of a taint.
    :returns: such as ``ecc-errors``.
    """
    return trait.removeprefix(TAINT_PREFIX).lower().replace('_', '-')


def pci_address(info: collections.abc.Mapping[str, str]) -> str:
    """Write a PCI address as an operator finds it on the host.

    :param info: its parts, as Cyborg's attach handles have them.
    :returns: such as ``0000:0c:00.1``.
    :raises KeyError: if a part is missing.
    """
    return '{domain}:{bus}:{device}.{function}'.format(**info)


@dataclasses.dataclass(frozen=True)
class Device:
    """An accelerator request (ARQ) of a device context, and its slot.

    :ivar arq_id: UUID of the accelerator request.
    :ivar group: number of the context's group it belongs to, from 0.
    :ivar alternative: number of the alternative of that group, from 0.
    :ivar state: Cyborg's state of the accelerator request.
    :ivar host: the node it is bound on, or being bound.
    :ivar resource_provider_id: UUID of the device's provider in Placement.
    :ivar attach_handle_type: ``PCI``, ``MDEV`` or ``TEST_PCI``; None before
        it is bound.
    :ivar attach_handle_id: UUID of the attach handle.
    :ivar attach_handle_info: Cyborg's address of the slot.
    :ivar missing: whether it is bound to a slot that its host does not
        report any more.
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
    missing: bool = False
    alternative: int = 0

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
        return pci_address(info)

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the device in the form of the API."""
        fields = dataclasses.asdict(self)
        return fields | {'slot': self.slot}

    @classmethod
    def from_dict(cls, item: collections.abc.Mapping[str, ty.Any]) -> Device:
        """Read the form of the API.

        :param item: the device, as :meth:`as_dict` gives it.
        :returns: the device.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: item[name] for name in known.intersection(item)})


@dataclasses.dataclass(frozen=True)
class Binding:
    """The devices of a device context on one node.

    :ivar host: the node.
    :ivar state: one of :class:`BindingState`.
    :ivar devices: the devices, in order of their groups.
    """

    host: str
    state: str
    devices: tuple[Device, ...]

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the binding in the form of the API."""
        return {
            'host': self.host,
            'state': self.state,
            'devices': [device.as_dict() for device in self.devices],
        }

    @classmethod
    def from_dict(cls, item: collections.abc.Mapping[str, ty.Any]) -> Binding:
        """Read the form of the API.

        :param item: the binding, as :meth:`as_dict` gives it.
        :returns: the binding.
        """
        devices = tuple(Device.from_dict(each) for each in item['devices'])
        return cls(item['host'], item['state'], devices)


@dataclasses.dataclass(frozen=True)
class DeviceContext:
    """A device context as its project sees it.

    :ivar server_id: UUID of the server whose allocation it is in; None when
        no server holds it.
    :ivar tag: what its device is found by in the guest.
    :ivar tags: what the device context is found by in lists, sorted, as far
        as they are read.
    :ivar transition: one of :class:`Transition`; None if it is neither being
        attached nor detached.
    :ivar transition_fault: why it could not be attached or detached the last
        time; what a server has goes on working.
    :ivar binding_fault: why its binding failed, or what it has lost.
    :ivar device_profile_id: UUID of the profile its groups were copied from.
    :ivar bindings: where it has devices; two or more while its server moves.
    :ivar revision: how often its project has changed it.
    """

    uuid: str
    project_id: str
    user_id: str
    groups: tuple[Choice, ...]
    name: str | None = None
    description: str | None = None
    delete_on_termination: bool = True
    live_migration: str = LiveMigration.REFUSE
    device_profile_id: str | None = None
    server_id: str | None = None
    tag: str | None = None
    tags: tuple[str, ...] = ()
    transition: str | None = None
    transition_fault: str | None = None
    binding_fault: str | None = None
    bindings: tuple[Binding, ...] = ()
    revision: int = 0
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices of the active binding."""
        return active_devices(self.bindings)

    @property
    def chosen(self) -> dict[int, int]:
        """Which alternative its devices are of, by number of the group."""
        return chosen_of(self.devices)

    @property
    def status(self) -> str:
        """The state, which follows from the allocation and its ARQs."""
        states = {device.state for device in self.devices}
        if self.server_id is None:
            return Status.AVAILABLE
        if self.transition is not None:
            return self.transition
        failed = any(each.failed or each.missing for each in self.devices)
        if self.binding_fault or failed:
            return Status.ERROR
        if not states:
            return Status.RESERVED
        return Status.BOUND if states == {_ARQ_BOUND} else Status.BINDING

    @property
    def fault(self) -> str | None:
        """What went wrong with it last, for its project to read."""
        return self.transition_fault or self.binding_fault

    @property
    def host(self) -> str | None:
        """The node its devices are on; None before binding begins."""
        return next((d.host for d in self.devices if d.host), None)


@dataclasses.dataclass(frozen=True)
class Allocation:
    """The device contexts that one server holds.

    :ivar generation: rises by one with each attempt to bring the server to
        a host; what belongs to an earlier one is refused.
    :ivar fault: why the last binding failed.
    """

    server_id: str
    project_id: str
    generation: int
    fault: str | None
    device_contexts: tuple[DeviceContext, ...]


def active_devices(
    bindings: collections.abc.Iterable[Binding],
) -> tuple[Device, ...]:
    """Return the devices of the active binding.

    :param bindings: the bindings of a device context.
    :returns: its devices; none if no binding is active.
    """
    for binding in bindings:
        if binding.state == BindingState.ACTIVE:
            return binding.devices
    return ()


def chosen_of(devices: collections.abc.Iterable[Device]) -> dict[int, int]:
    """Tell which alternatives devices are of.

    :param devices: the devices of a device context on one node.
    :returns: the number of the alternative, by number of the group.
    """
    return {device.group: device.alternative for device in devices}


def missing_fault(devices: collections.abc.Iterable[Device]) -> str | None:
    """Say which devices are missing.

    :param devices: the devices of a device context, or of a server.
    :returns: a sentence; None if there are all of them.
    """
    missing = [device for device in devices if device.missing]
    if not missing:
        return None
    names = ', '.join(
        f'{device.slot or device.arq_id} on {device.host}'
        for device in missing
    )
    return (
        f'Missing: {names}. The host does not report it any more. All is well '
        'as soon as it does; to get another device, shelve and unshelve the '
        'server.'
    )


def accelerator_count(
    groups: collections.abc.Iterable[Group | Choice],
) -> int:
    """Count the accelerator requests that groups may stand for.

    :param groups: the groups, of one device context or of several.
    :returns: how many there are at most.
    """
    return sum(group.accelerator_count for group in groups)


def amounts(
    groups: collections.abc.Iterable[Group | Choice],
) -> dict[str, int]:
    """Add up what groups may have.

    :param groups: the groups, of one device context or of several.
    :returns: the most of each resource class.
    """
    found: dict[str, int] = {}
    for group in groups:
        for name, amount in group.resources:
            found[name] = found.get(name, 0) + amount
    return found


def pick_count(groups: collections.abc.Iterable[Choice]) -> int:
    """Count the combinations of alternatives.

    :param groups: the groups, of one device context or of several.
    :returns: how many there are; one if there is nothing to choose.
    """
    return math.prod(len(group.alternatives) for group in groups)


def picks(
    groups: collections.abc.Iterable[Choice],
) -> collections.abc.Iterator[Pick]:
    """Combine alternatives, in the order in which they are tried.

    First those whose numbers have the least sum; of two that are alike in
    that, the one in which an earlier group has an earlier alternative.

    :param groups: the groups, of one device context or of several.
    :returns: the combinations, one by one: there may be very many.
    """
    last = [len(group.alternatives) - 1 for group in groups]
    choosing = [number for number, most in enumerate(last) if most]
    for total in range(sum(last) + 1):
        for numbers in _with_sum([last[each] for each in choosing], total):
            chosen = dict(zip(choosing, numbers, strict=True))
            yield tuple(chosen.get(each, 0) for each in range(len(last)))


def _with_sum(last: list[int], total: int) -> collections.abc.Iterator[Pick]:
    if not last:
        yield ()
        return
    first, *others = last
    # No more than what is left for the others, and no less.
    for number in range(max(total - sum(others), 0), min(first, total) + 1):
        for rest in _with_sum(others, total - number):
            yield (number, *rest)


def picked(
    groups: collections.abc.Iterable[Choice], pick: Pick
) -> tuple[Group, ...]:
    """Return what a combination of alternatives asks for.

    :param groups: the groups.
    :param pick: which alternative of each.
    :returns: the alternatives.
    """
    return tuple(
        group.alternatives[number]
        for group, number in zip(groups, pick, strict=True)
    )


def profile_name(groups: collections.abc.Sequence[Group]) -> str:
    """Name the hidden device profile that stands for some groups.

    The name is made of nothing but the groups, so that equal requests of
    all projects share one profile, and it tells nothing about a project.

    :param groups: the groups of a device context.
    :returns: the name, 44 characters long.
    """
    # What a device may have is not for its driver.
    text = json.dumps(
        [
            {
                field: value
                for field, value in group.as_dict().items()
                if field != 'tolerated'
            }
            for group in groups
        ],
        sort_keys=True,
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{PROFILE_PREFIX}{digest[:32]}'


def requester_id(context_id: str, group: int, alternative: int = 0) -> str:
    """Name a request group of a server's request to Placement.

    :param context_id: the UUID of a device context.
    :param group: the number of the group in it, from 0.
    :param alternative: the number of its alternative. The first one is not
        named, as in releases that know no other.
    :returns: the name; Placement allows 64 characters, these are 56 at most.
    """
    name = f'{REQUESTER_PREFIX}{context_id}_{group}'
    return f'{name}_{alternative}' if alternative else name


def parse_requester_id(requester: str) -> tuple[str, int, int] | None:
    """Read what :func:`requester_id` wrote.

    :param requester: the name of a request group.
    :returns: the device context's UUID, the group's number in it, and that of
        its alternative; None for a group that does not belong to a device
        context.
    """
    match = _REQUESTER.fullmatch(requester)
    if not match:
        return None
    context_id, group, alternative = match.groups()
    return context_id, int(group), int(alternative or 0)


def lowered(
    allocated: Amounts,
    left: Amounts,
    of_flavor: collections.abc.Mapping[str, int],
) -> dict[str, dict[str, int]]:
    """Lower what is allocated of devices to what there is to be.

    A flavor that asks for a resource class gets it from any provider of the
    host, with devices or without. What it has of others counts first; the
    rest is not a device's, and stays wherever there is more than devices.

    :param allocated: what is allocated to a server.
    :param left: what the server has of devices, of each provider that is a
        device's.
    :param of_flavor: what its flavor asks for by itself, by resource class.
    :returns: what there is to be; never more than there is.
    """
    beside = collections.Counter(of_flavor)
    for provider in allocated.keys() - left.keys():
        beside.subtract(allocated[provider])
    found: dict[str, dict[str, int]] = {}
    for provider, amounts in allocated.items():
        kept = dict(amounts)
        if provider in left:
            for name, amount in amounts.items():
                of_devices = min(amount, left[provider].get(name, 0))
                more = min(amount - of_devices, max(beside[name], 0))
                beside[name] -= more
                kept[name] = of_devices + more
        kept = {name: amount for name, amount in kept.items() if amount}
        if kept:
            found[provider] = kept
    return found
