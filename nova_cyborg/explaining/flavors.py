# SPDX-License-Identifier: Apache-2.0

"""What a flavor and an image ask of a host, as far as they say it plainly.

Nova itself knows more, as of NUMA nodes and of what its filters look at: it is
Nova that says so when a server is booted.
"""

from __future__ import annotations

import collections.abc
import re
import typing as ty

from nova_cyborg import model
from nova_cyborg.explaining import requirements

_TRAIT = 'trait:'
_REQUIRED = 'required'
# What a flavor says of a trait, and how a query does.
_SIGNS = {'required': '', 'forbidden': '!'}
_NUMBERED = re.compile(r'(resources|trait)([A-Za-z0-9_-]{1,60}):([A-Z0-9_]+)')
_Said = collections.abc.Mapping[str, ty.Any]


def server(flavor: _Said, image: _Said) -> requirements.Server:
    """Say what a server with a flavor and an image needs of its host.

    :param flavor: its vcpus, ram, disk and others, as Nova shows them; empty
        for none.
    :param image: properties of the image; empty for none.
    :returns: what is asked for beside devices.
    """
    specs = flavor.get('extra_specs', {})
    amounts = _amounts(flavor, specs)
    traits = [*_traits(specs), *_traits(image)] if amounts else []
    return requirements.Server(
        tuple((name, amount) for name, amount in amounts.items() if amount),
        (*((_REQUIRED, name) for name in traits), *requirements.HOST_TRAITS),
        tuple(_numbered(specs)),
    )


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
    """
    specs = flavor.get('extra_specs', {})
    # What is in no numbered group may come from a provider for each class.
    found = [
        model.Group(((name, amount),))
        for name, amount in _amounts(flavor, specs).items()
        if amount
    ]
    numbered: dict[str, list[tuple[str, int]]] = {}
    for key, value in specs.items():
        matched = _NUMBERED.fullmatch(key)
        if matched and matched[1] == 'resources' and str(value).isdecimal():
            numbered.setdefault(matched[2], []).append(
                (matched[3], int(value))
            )
    found += (model.Group(tuple(each)) for each in numbered.values())
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
        if word == 'resources' and str(value).isdecimal():
            amounts[name] = int(value)
    return amounts


def _traits(said: _Said) -> collections.abc.Iterator[str]:
    for key, value in said.items():
        if key.startswith(_TRAIT) and value in _SIGNS:
            yield _SIGNS[value] + key.removeprefix(_TRAIT)


def _numbered(specs: _Said) -> collections.abc.Iterator[tuple[str, str]]:
    """Return the parameters of groups that a flavor has besides."""
    found: dict[str, list[str]] = {}
    for key, value in specs.items():
        matched = _NUMBERED.fullmatch(key)
        if not matched:
            continue
        word, suffix, name = matched.groups()
        if word == 'resources' and str(value).isdecimal():
            part = (f'resources_F{suffix}', f'{name}:{value}')
        elif word == 'trait' and value in _SIGNS:
            part = (f'required_F{suffix}', _SIGNS[value] + name)
        else:
            continue
        found.setdefault(part[0], []).append(part[1])
    for parameter, parts in found.items():
        yield parameter, ','.join(parts)
