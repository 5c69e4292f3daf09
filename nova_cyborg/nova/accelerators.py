# SPDX-License-Identifier: Apache-2.0

"""Nova's own way to find the accelerator requests of a server, and to delete.

Nova takes it for a failure that a server with the marker has none. While a
device context is attached to a server that has no other, or detached from it,
there are none for a moment, and a server whose task state has changed already
would be left so.

Nova asks Cyborg to delete all ARQs of a server. Such a request that comes
late deletes ARQs that were made since; and it is made for a server, too, that
may not get to the host that it is evacuated to. Nova's methods that send it
have no argument to say more, so a thread carries what is done instead:
:attr:`nova_cyborg.nova.carried.Carried.delete_arqs`.
"""

from __future__ import annotations

import collections.abc
import typing as ty

import wrapt
from nova import exception as nova_exception
from nova import objects
from nova.accelerator import cyborg

from nova_cyborg import exception, signatures
from nova_cyborg.nova import carried, client, marks

_SIGNATURES = {
    'delete_arqs_for_instance': 'instance_uuid',
    'get_arq_uuids_for_instance': 'instance',
}


def install() -> str:
    """Put what looks for it around the methods of Nova's client of Cyborg.

    :returns: nothing for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods.
    """
    signatures.check(cyborg._CyborgClient, _SIGNATURES)
    wrapt.wrap_function_wrapper(
        cyborg, '_CyborgClient.delete_arqs_for_instance', _delete
    )
    wrapt.wrap_function_wrapper(
        cyborg, '_CyborgClient.get_arq_uuids_for_instance', _find
    )
    return ''


def _delete(
    stock: collections.abc.Callable[..., None],
    _client: object,
    args: tuple[ty.Any, ...],
    kwargs: dict[str, ty.Any],
) -> None:
    delete_arqs = carried.now().delete_arqs
    if delete_arqs is None:
        stock(*args, **kwargs)
    else:
        delete_arqs()


def _find(
    stock: collections.abc.Callable[..., list[str]],
    _client: object,
    args: tuple[ty.Any, ...],
    kwargs: dict[str, ty.Any],
) -> list[str]:
    try:
        return stock(*args, **kwargs)
    except nova_exception.AcceleratorRequestOpFailed:
        (instance,) = args or kwargs.values()
        if not marks.only_contexts(instance) or not _has_none(instance):
            raise
        return []


def _has_none(instance: objects.Instance) -> bool:
    """Tell whether a server has no accelerator requests, as Cyborg says."""
    allocations = client.allocation_client(instance._context)
    try:
        return not allocations.arqs(instance.uuid)
    except exception.DeviceContextError:
        return False
