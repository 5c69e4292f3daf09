# SPDX-License-Identifier: Apache-2.0

"""Messages on the bus: those that a service takes, and those that it sends."""

import functools
import typing as ty

from tools.bench.tracing import units as units_module

# The service that a class's methods are called in, by the class's module.
_ROLES = {
    'nova.conductor.manager': 'nova-conductor',
    'nova.scheduler.manager': 'nova-scheduler',
    'nova.compute.manager': 'nova-compute',
    'nova_cyborg.nova.compute.hotplug': 'nova-compute',
    'cyborg.conductor.manager': 'cyborg-conductor',
    'cyborg.agent.manager': 'cyborg-agent',
}


def receive(units: units_module.Units, dispatcher: ty.Any) -> None:
    """Write down the messages that are dealt with.

    :param units: the process's units.
    :param dispatcher: oslo.messaging's module.
    """
    stock = dispatcher.RPCDispatcher._do_dispatch

    @functools.wraps(stock)
    def dispatch(
        self: ty.Any,
        endpoint: ty.Any,
        method: str,
        context: ty.Any,
        *args: ty.Any,
    ) -> ty.Any:
        request = units_module.of(context)
        # Nova 34 wraps what the bus calls.
        found = getattr(endpoint, '_endpoint', endpoint)
        with units.of(role_of(type(found)), method, request):
            return stock(self, endpoint, method, context, *args)

    dispatcher.RPCDispatcher._do_dispatch = dispatch


def role_of(cls: type) -> str:
    """Return the service that a class is of.

    :param cls: the class, or one that extends it.
    :returns: the service; empty if it is none that is known.
    """
    found = (_ROLES.get(each.__module__, '') for each in cls.__mro__)
    return next(filter(None, found), '')


def send(units: units_module.Units, client: ty.Any) -> None:
    """Write down the messages that are sent.

    :param units: the process's units.
    :param client: oslo.messaging's module.
    """
    for name in ('call', 'cast'):
        stock = getattr(client._BaseCallContext, name)
        setattr(client._BaseCallContext, name, _sent(units, name, stock))


def _sent(units: units_module.Units, kind: str, stock: ty.Any) -> ty.Any:
    @functools.wraps(stock)
    def send_one(
        self: ty.Any, context: ty.Any, method: str, **kwargs: ty.Any
    ) -> ty.Any:
        with units.part('rpc', method, how=kind):
            return stock(self, context, method, **kwargs)

    return send_one
