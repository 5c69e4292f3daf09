# SPDX-License-Identifier: Apache-2.0

"""Which routes of ours there are: those that policies name, and no others.

pecan would take other spellings of a path, and its own errors say which
methods a controller has, be they at this path or at another one.
"""

import collections.abc
import functools
import typing as ty

from nova_cyborg import exception
from nova_cyborg.api import policies

_VERSION = 'v2'

# What a part of a path may be: any UUID, or any tag.
_ANY, _TAG = '{}', '{tag}'

# By the methods that there are: the parts of a path.
_Parts = tuple[str, ...]


def is_ours(path: str) -> bool:
    """Tell whether we answer what is asked for at a path.

    :param path: the path below the application's root.
    :returns: whether it is ours, in any spelling that pecan takes.
    """
    given = _below_version([part for part in path.split('/') if part])
    return bool(given) and given[0].partition('.')[0] in _collections()


def check(method: str, path: str) -> str:
    """Find out what a request is handled as.

    :param method: the method of the request.
    :param path: its path, which is ours.
    :returns: the method, GET in place of HEAD.
    :raises RouteNotFound: if nothing is there.
    :raises MethodNotAllowed: if the method is not.
    """
    methods = _methods(path)
    if not methods:
        raise exception.RouteNotFound(path=path)
    if method not in methods:
        raise exception.MethodNotAllowed(
            method=method,
            path=path,
            allowed=', '.join(sorted(methods)),
        )
    return 'GET' if method == 'HEAD' else method


def parts(path: str) -> tuple[str, ...]:
    """Take a path apart.

    :param path: a path, as a request has it.
    :returns: its parts below the version; none if it is no path.
    """
    before, *found = path.removesuffix('/').split('/')
    return () if before else tuple(_below_version(found))


def _methods(path: str) -> collections.abc.Set[str]:
    given = parts(path)
    if not given:
        return frozenset()
    found = routes()
    if given in found:
        return found[given]
    return next(
        (methods for known, methods in found.items() if _fits(given, known)),
        frozenset(),
    )


def _fits(given: tuple[str, ...], known: _Parts) -> bool:
    return len(given) == len(known) and all(
        part == name or (part and _may_be(part, name))
        for part, name in zip(given, known, strict=True)
    )


def _may_be(part: str, name: str) -> bool:
    # An extension is not a name for the form of the answer.
    return name == _TAG or (name == _ANY and '.' not in part)


def _below_version(given: list[str]) -> list[str]:
    # Cyborg takes a path without a version as one of v2.
    return given[1:] if given[:1] == [_VERSION] else given


@functools.cache
def _collections() -> collections.abc.Set[ty.Any]:
    return {known[0] for known in routes()}


@functools.cache
def routes() -> dict[_Parts, set[str]]:
    """List the routes.

    :returns: the methods of each path, by its parts: ``{}`` stands for any
        UUID, ``{tag}`` for any tag.
    """
    found: dict[_Parts, set[str]] = {}
    for rule in policies.list_policies():
        for operation in rule.operations:
            path = operation['path'].partition('?')[0]
            known = tuple(
                _ANY if part.startswith('{') and part != _TAG else part
                for part in _below_version(path.strip('/').split('/'))
            )
            found.setdefault(known, set()).add(operation['method'])
    for methods in found.values():
        if 'GET' in methods:
            methods.add('HEAD')
    return found
