# SPDX-License-Identifier: Apache-2.0

"""Checks that Nova and hooks have the methods that are built upon.

A method that changed its arguments in another release of Nova is found when
the service starts, not when the first server is built.
"""

import collections.abc
import inspect
import types

from nova_cyborg import exception


def check(owner: type, expected: collections.abc.Mapping[str, str]) -> None:
    """Check the arguments of a class's methods.

    :param owner: the class.
    :param expected: the names of the arguments after ``self``, separated by
        spaces, by method. More arguments after these are no harm.
    :raises PluginActivationFailed: naming the method that differs.
    """
    for name, arguments in expected.items():
        wanted = ['self', *arguments.split()]
        found = _arguments(owner, name)
        if found[: len(wanted)] != wanted:
            raise exception.PluginActivationFailed(
                reason=f'{_name(owner)}.{name} takes ({", ".join(found)}), '
                f'not ({", ".join(wanted)}). This release is not supported'
            )


def check_named(
    owner: type | types.ModuleType,
    expected: collections.abc.Mapping[str, str],
) -> None:
    """Check that methods or functions have arguments, wherever they stand.

    For those with so many that their callers name them.

    :param owner: the class, or the module.
    :param expected: names of arguments, separated by spaces, by method.
    :raises PluginActivationFailed: naming the method that differs.
    """
    for name, arguments in expected.items():
        missing = set(arguments.split()).difference(_arguments(owner, name))
        if missing:
            raise exception.PluginActivationFailed(
                reason=f'{_name(owner)}.{name} takes no '
                f'{", ".join(sorted(missing))}. This release is not supported'
            )


def _arguments(owner: type | types.ModuleType, name: str) -> list[str]:
    method = getattr(owner, name, None)
    if method is None:
        raise exception.PluginActivationFailed(
            reason=f'{_name(owner)} has no method {name}. This release '
            'of Nova is not supported'
        )
    return list(inspect.signature(method).parameters)


def _name(owner: type | types.ModuleType) -> str:
    if isinstance(owner, types.ModuleType):
        return owner.__name__
    return f'{owner.__module__}.{owner.__qualname__}'
