# SPDX-License-Identifier: Apache-2.0

"""Overriding methods of Nova's classes whose arguments differ by release.

An override states which arguments of Nova's method it builds upon, reads them
by name, and calls Nova's method with whatever it was called with::

    class ComputeManager(manager.ComputeManager):
        @overrides.method('context instance')
        def _shelve_offload_instance(self, stock: overrides.Stock) -> None:
            if stock['instance'].host:
                stock()

:func:`check` finds a release of Nova in which the method has other arguments,
before the class is used.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import typing as ty

from nova_cyborg import signatures

_Override = collections.abc.Callable[[ty.Any, 'Stock'], ty.Any]


class Stock:
    """A call of a method of Nova's that is overridden.

    :param method: Nova's method.
    :param args: what it was called with.
    :param kwargs: what it was called with by name.
    """

    def __init__(
        self,
        method: collections.abc.Callable[..., ty.Any],
        args: tuple[ty.Any, ...],
        kwargs: dict[str, ty.Any],
    ) -> None:
        self._method = method
        self._signature = inspect.signature(method)
        self._names = list(self._signature.parameters)
        # As they were given: some of Nova's decorators tell arguments that
        # are given by name from others.
        self._args = list(args)
        self._kwargs = dict(kwargs)

    def __getitem__(self, name: str) -> ty.Any:
        """Return an argument: what was given, or Nova's default.

        :raises KeyError: if Nova's method has no such argument.
        :raises TypeError: if it has no default, and was not given.
        """
        if name in self._kwargs:
            return self._kwargs[name]
        if name in self._names[: len(self._args)]:
            return self._args[self._names.index(name)]
        default = self._signature.parameters[name].default
        if default is inspect.Parameter.empty:
            raise TypeError(f'{self._method.__name__} is not given {name}')
        return default

    def __setitem__(self, name: str, value: ty.Any) -> None:
        """Have Nova's method called with another argument."""
        if name in self._names[: len(self._args)]:
            self._args[self._names.index(name)] = value
        else:
            self._kwargs[name] = value

    def __call__(self) -> ty.Any:
        """Call Nova's method.

        :returns: what it returns.
        """
        return self.by(self._method)

    def by(self, function: collections.abc.Callable[..., ty.Any]) -> ty.Any:
        """Call another function with what Nova's method is called with.

        :param function: the function.
        :returns: what it returns.
        """
        return function(*self._args, **self._kwargs)


def method(
    arguments: str, named: str = ''
) -> collections.abc.Callable[
    [_Override], collections.abc.Callable[..., ty.Any]
]:
    """Decorate an override of a method of Nova's.

    :param arguments: names of the arguments that Nova's method begins with,
        separated by spaces.
    :param named: names of arguments that it has, wherever they stand.
    :returns: a decorator for methods that take a :class:`Stock`.
    """

    def decorate(
        override: _Override,
    ) -> collections.abc.Callable[..., ty.Any]:
        name = override.__name__

        @functools.wraps(override)
        def run(self: ty.Any, *args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            above = super(_owner(type(self), name, run), self)
            return override(self, Stock(getattr(above, name), args, kwargs))

        # Not the override's: who looks for arguments is to find Nova's.
        del run.__wrapped__
        run.builds_upon = (arguments, named)  # type: ignore[attr-defined]
        return run

    return decorate


def check(cls: type) -> None:
    """Check that Nova's class has the methods that a subclass overrides.

    :param cls: the subclass of Nova's class.
    :raises PluginActivationFailed: naming the method that differs.
    """
    stock = cls.__mro__[1]
    for name, override in vars(cls).items():
        if hasattr(override, 'builds_upon'):
            arguments, named = override.builds_upon
            signatures.check(stock, {name: arguments})
            signatures.check_named(stock, {name: named})


def _owner(cls: type, name: str, override: object) -> type:
    """Return the class in which an override is defined.

    osprofiler, if it is on, has put a wrapper of its own around it there.

    :raises AttributeError: if something else has taken its place.
    """
    for each in cls.__mro__:
        if inspect.unwrap(vars(each).get(name) or _nothing) is override:
            return each
    raise AttributeError(f'{cls.__qualname__} does not override {name}')


def _nothing() -> None:
    """Stand in for a method that a class has not."""
