# SPDX-License-Identifier: Apache-2.0

"""What a flavor and an image ask of a host, as far as they say it plainly.

Nova itself knows more, as of NUMA nodes and of what its filters look at: it is
Nova that says so when a server is booted.
"""

from __future__ import annotations

import collections.abc
import re
import typing as ty

import os_resource_classes

from nova_cyborg import exception, model
from nova_cyborg.explaining import requirements

_TRAIT = 'trait:'
_REQUIRED = 'required'
_RESOURCES = 'resources'
# Where a request says it.
_SPECS = 'flavor.extra_specs'
_IMAGE = 'image'
# What a flavor says of a trait, and how a query does.
_SIGNS = {'required': '', 'forbidden': '!'}
# What Nova looks at.
_LOOKED_AT = re.compile(r'(resources|trait)([A-Za-z0-9_-]{1,64})?:(.*)')
_NUMBERED = re.compile(r'(resources|trait)([A-Za-z0-9_-]{1,60}):([A-Z0-9_]+)')
_Said = collections.abc.Mapping[str, ty.Any]


def server(flavor: _Said, image: _Said) -> requirements.Server:
    """Say what a server with a flavor and an image needs of its host.

    :param flavor: its vcpus, ram, disk and others, as Nova shows them; empty
        for none.
    :param image: properties of the image; empty for none.
    :returns: what is asked for beside devices.
    :raises InvalidRequest: if Placement takes it for a mistake.
    """
    specs = flavor.get('extra_specs', {})
    amounts = [pair for pair in _amounts(flavor, specs).items() if pair[1]]
    if flavor:
        traits = _host_traits(specs, image, bool(amounts))
        key = _REQUIRED
    else:
        traits = _traits_of_image(image)
        key = requirements.ROOT
    return requirements.Server(
        tuple(amounts),
        (*((key, name) for name in traits), *requirements.HOST_TRAITS),
        tuple(_numbered(specs)),
    )


def ignored(flavor: _Said, image: _Said) -> list[str]:
    """Say what of a flavor and an image Nova takes no notice of.

    When a server is booted, the log of nova-scheduler says so at most.

    :param flavor: the flavor, as for :func:`server`.
    :param image: properties of the image, as there.
    :returns: a sentence for each extra spec and property.
    """
    found = []
    for key, value in flavor.get('extra_specs', {}).items():
        if reason := _why_ignored(key, value):
            found.append(
                f'Nova ignores {exception.shown(key)} of the flavor: {reason}.'
            )
    for key, value in image.items():
        if key.startswith(_TRAIT) and value != _REQUIRED:
            found.append(
                f'Nova ignores {exception.shown(key)} of the image: '
                f'"{exception.shown(value)}" is not {_REQUIRED}.'
            )
    return found


def _why_ignored(key: str, value: str) -> str | None:
    matched = _LOOKED_AT.fullmatch(key)
    if not matched:
        return None
    if matched[1] == _RESOURCES:
        if not _is_class(matched[3]):
            return 'it names no resource class, standard or custom'
        if _number(value) is None:
            return f'"{exception.shown(value)}" is no whole number from 0 on'
    elif value not in _SIGNS:
        return f'"{exception.shown(value)}" is not {" or ".join(_SIGNS)}'
    return None


def profile(flavor: _Said) -> str | None:
    """Return the name of the device profile of a flavor, if it names one.

    :param flavor: the flavor, as for :func:`server`.
    :returns: the name.
    """
    found: str | None = flavor.get('extra_specs', {}).get(
        model.PROFILE_EXTRA_SPEC
    )
    return found


def groups(flavor: _Said) -> list[model.Group]:
    """Say for what Placement chooses a provider each, for a flavor.

    :param flavor: the flavor, as for :func:`server`.
    :returns: amounts by resource class, for each provider.
    :raises InvalidRequest: if an amount is none.
    """
    specs = flavor.get('extra_specs', {})
    # What is in no numbered group may come from a provider for each class.
    found = [
        model.Group(((name, amount),))
        for name, amount in _amounts(flavor, specs).items()
        if amount
    ]
    found += (
        model.Group(tuple(amounts.items()))
        for amounts in _numbered_amounts(specs).values()
    )
    return found


def _amounts(flavor: _Said, specs: _Said) -> dict[str, int]:
    if not flavor:
        return {}
    cpus = 'VCPU'
    if specs.get('hw:cpu_policy') == 'dedicated':
        cpus = 'PCPU'
    # In megabytes, what is swapped to; all disks are counted in gigabytes.
    swap = -(-int(flavor.get('swap') or 0) // 1024)
    amounts = {
        cpus: int(flavor.get('vcpus', 0)),
        'MEMORY_MB': int(flavor.get('ram', 0)),
        'DISK_GB': int(flavor.get('disk', 0))
        + int(flavor.get('ephemeral') or 0)
        + swap,
    }
    for key, value in specs.items():
        word, _colon, name = key.partition(':')
        amount = _number(value)
        if word == _RESOURCES and _is_class(name) and amount is not None:
            # Nothing of a class takes back what the flavor says of it.
            amounts[name] = _amount(key, amount, least=0)
    return amounts


def _is_class(name: str) -> bool:
    """Tell whether Nova takes a name for that of a resource class."""
    return (
        name.startswith(os_resource_classes.CUSTOM_NAMESPACE)
        or name in os_resource_classes.STANDARDS
    )


def _number(value: str) -> int | None:
    """Read an amount as Nova does; None for what it takes for none."""
    try:
        found = int(value)
    except ValueError:
        return None
    return found if found >= 0 else None


def _amount(key: str, found: int, least: int = 1) -> int:
    if not least <= found <= model.MAX_AMOUNT:
        raise exception.InvalidRequest(
            field=f'{_SPECS}.{key}',
            reason=f'it is to be {least} to {model.MAX_AMOUNT}',
        )
    return found


def _host_traits(specs: _Said, image: _Said, has_resources: bool) -> list[str]:
    """Return the traits of what is in no numbered group.

    :raises InvalidRequest: if Placement takes them for a mistake.
    """
    found: list[str] = []
    for field, said in ((_SPECS, specs), (_IMAGE, _required(image))):
        for key, trait in _traits(said):
            if not has_resources:
                raise exception.InvalidRequest(
                    field=f'{field}.{key}',
                    reason='the flavor asks for no resources beside it',
                )
            _check_beside(found, trait, f'{field}.{key}')
            found.append(trait)
    return found


def _traits_of_image(image: _Said) -> list[str]:
    """Return the traits that an image needs a host to have by itself.

    As no flavor asks for resources beside them, they are asked of the host's
    own provider.

    :raises InvalidRequest: if Placement takes them for a mistake.
    """
    found = [name for _key, name in requirements.HOST_TRAITS]
    for key, trait in _traits(_required(image)):
        _check_beside(found, trait, f'{_IMAGE}.{key}')
        found.append(trait)
    return found[len(requirements.HOST_TRAITS) :]


def _required(image: _Said) -> dict[str, str]:
    """Return what of an image Nova looks at: it can forbid no trait."""
    return {k: value for k, value in image.items() if value == _REQUIRED}


def _check_beside(
    found: collections.abc.Container[str], trait: str, field: str
) -> None:
    other = trait[1:] if trait.startswith('!') else f'!{trait}'
    if other in found:
        raise exception.InvalidRequest(
            field=field, reason='the trait is both required and forbidden'
        )


def _traits(said: _Said) -> collections.abc.Iterator[tuple[str, str]]:
    for key, value in said.items():
        if key.startswith(_TRAIT) and value in _SIGNS:
            yield key, _SIGNS[value] + key.removeprefix(_TRAIT)


def _numbered_amounts(specs: _Said) -> dict[str, dict[str, int]]:
    """Return the amounts of groups that a flavor has besides, by suffix."""
    found: dict[str, dict[str, int]] = {}
    for key, value in specs.items():
        matched = _NUMBERED.fullmatch(key)
        if not matched or matched[1] != _RESOURCES:
            continue
        amount = _number(value)
        if _is_class(matched[3]) and amount is not None:
            amounts = found.setdefault(matched[2], {})
            amounts[matched[3]] = _amount(key, amount)
    return found


def _numbered(specs: _Said) -> collections.abc.Iterator[tuple[str, str]]:
    """Return the parameters of groups that a flavor has besides."""
    amounts = _numbered_amounts(specs)
    for suffix, each in amounts.items():
        pairs = (f'{name}:{amount}' for name, amount in each.items())
        yield f'resources_F{suffix}', ','.join(pairs)
    traits: dict[str, list[str]] = {}
    for key, value in specs.items():
        matched = _NUMBERED.fullmatch(key)
        if not matched or matched[1] == _RESOURCES or value not in _SIGNS:
            continue
        if matched[2] not in amounts:
            raise exception.InvalidRequest(
                field=f'{_SPECS}.{key}',
                reason=f'there is no {_RESOURCES}{matched[2]} beside it',
            )
        traits.setdefault(matched[2], []).append(_SIGNS[value] + matched[3])
    for suffix, names in traits.items():
        yield f'required_F{suffix}', ','.join(names)
