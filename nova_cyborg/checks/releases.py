# SPDX-License-Identifier: Apache-2.0

"""Which releases of Nova and Cyborg there are, and which are meant."""

from __future__ import annotations

import dataclasses
import importlib.metadata

from nova_cyborg.checks import results


@dataclasses.dataclass(frozen=True)
class Supported:
    """The releases of a service that nova_cyborg is made for.

    :ivar service: what it is called.
    :ivar package: the name of its Python package.
    :ivar first: the first release.
    :ivar last: the last release series.
    :ivar broken: releases in between that do not do.
    """

    service: str
    package: str
    first: tuple[int, ...]
    last: int
    broken: frozenset[str] = frozenset()


NOVA = Supported('Nova', 'nova', (31,), 34)
# The releases that are left out have no check of service tokens.
CYBORG = Supported(
    'Cyborg', 'openstack-cyborg', (14, 1), 17, frozenset({'15.0.0', '16.0.0'})
)


def check(supported: Supported) -> results.Result:
    """Check the release that is installed.

    :param supported: what is meant.
    :returns: the result.
    """
    try:
        found = importlib.metadata.version(supported.package)
    except importlib.metadata.PackageNotFoundError:
        return results.warning(
            f'The package {supported.package} has no metadata that tell its '
            f'release. Make sure that it is one of {_meant(supported)}.'
        )
    return judge(supported, found)


def judge(supported: Supported, found: str) -> results.Result:
    """Tell whether a release is one that is meant.

    :param supported: what is meant.
    :param found: the release.
    :returns: the result.
    """
    release = tuple(
        int(part) for part in found.split('.')[:3] if part.isdecimal()
    )
    if release < supported.first or found in supported.broken:
        return results.failure(
            f'{supported.service} {found} does not do. Upgrade it to one of '
            f'{_meant(supported)}.'
        )
    if release[0] > supported.last:
        return results.warning(
            f'{supported.service} {found} is newer than what this release of '
            f'nova_cyborg was tested with, {_meant(supported)}. Look for a '
            'newer nova_cyborg, or try it in a lab.'
        )
    return results.success(f'{supported.service} {found} is supported.')


def _meant(supported: Supported) -> str:
    first = '.'.join(str(part) for part in supported.first)
    meant = f'{first} to {supported.last}'
    if supported.broken:
        meant += f', without {" and ".join(sorted(supported.broken))}'
    return meant
