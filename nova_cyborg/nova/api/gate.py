# SPDX-License-Identifier: Apache-2.0

"""nova-api: what Nova refuses to servers with accelerators, and can be done.

Nova refuses to move and to suspend a server whose flavor names a device
profile, by a decorator of the methods of its compute API. For a server that
has its accelerators by device contexts alone, the function beneath the
decorator is called, if the services that take part can do what is asked for.
What else decorates the method stays in force: the outer ones have run when the
decorator refuses, and the inner ones are beneath it.
"""

from __future__ import annotations

import collections.abc
import functools
import logging
import typing as ty

from nova import exception as nova_exception
from nova.compute import api

from nova_cyborg.nova import features, marks, overrides
from nova_cyborg.nova.features import computes, conductors

LOG = logging.getLogger(__name__)

_Function = collections.abc.Callable[..., ty.Any]

# What is lifted, and what the server's nova-compute must be able to do.
_NEEDED = {
    'resize': features.MOVE,
    'live_migrate': features.LIVE_MIGRATE,
    'suspend': features.SUSPEND,
}
# In these no nova-conductor takes part.
_WITHOUT_CONDUCTOR = frozenset(('suspend',))

#: What nova-conductors can do, as far as this nova-api knows.
CONDUCTORS = conductors.Conductors()


def call(
    compute_api: api.API,
    operation: str,
    stock: overrides.Stock,
    check: collections.abc.Callable[[overrides.Stock], None] | None = None,
) -> ty.Any:
    """Do with a server what Nova may refuse.

    :param compute_api: Nova's compute API.
    :param operation: the name of its method.
    :param stock: a call of the method.
    :param check: refuses, by raising, what is not to be done although the
        services could; None if there is no such thing.
    :returns: what the method returns.
    :raises ForbiddenWithAccelerators: if it stays refused.
    """
    try:
        return stock()
    except nova_exception.ForbiddenWithAccelerators:
        beneath = functions()[operation]
        if beneath is None or not _is_lifted(operation, stock['instance']):
            raise
    if check is not None:
        check(stock)
    return stock.by(functools.partial(beneath, compute_api))


@functools.cache
def functions() -> dict[str, _Function | None]:
    """Find what is beneath Nova's refusals, once a process.

    :returns: the function by the name of the method; None if it is not where
        it is looked for, so that the refusal stays.
    """
    found = {name: _beneath(getattr(api.API, name)) for name in _NEEDED}
    for name, function in found.items():
        if function is None:
            LOG.warning(
                'The refusal of %s to servers with accelerators is not where '
                'it was in other releases of Nova. It stays.',
                name,
            )
    return found


def _beneath(method: _Function) -> _Function | None:
    """Return what the refusal decorates in a decorated method."""
    refusal = _code_of_refusal()
    # Each decorator of Nova's leads to what it decorates.
    function: _Function | None = method if refusal else None
    while function is not None:
        beneath: _Function | None = getattr(function, '__wrapped__', None)
        if getattr(function, '__code__', None) is refusal:
            return beneath
        function = beneath
    return None


def _code_of_refusal() -> object:
    """Return the code that all functions have which the decorator makes."""
    try:
        made = api.block_accelerators()(_beneath)
    except (AttributeError, TypeError):
        # There is none, or it takes other arguments.
        return None
    return getattr(made, '__code__', None)


def _is_lifted(operation: str, instance: ty.Any) -> bool:
    if not marks.only_contexts(instance):
        return False
    feature = _NEEDED[operation]
    if not computes.can(
        instance._context, instance.host, instance.node, feature
    ):
        LOG.warning(
            'Nova refuses %s to server %s: the nova-compute of its host has '
            'no plugin, or one of a release that cannot do it',
            operation,
            instance.uuid,
        )
        return False
    if operation in _WITHOUT_CONDUCTOR:
        return True
    unable = CONDUCTORS.unable(feature)
    if unable:
        LOG.warning(
            'Nova refuses %s to server %s: nova-conductors do not say that '
            'they can do it: %s',
            operation,
            instance.uuid,
            ', '.join(unable),
        )
    return not unable
