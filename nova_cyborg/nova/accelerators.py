# SPDX-License-Identifier: Apache-2.0

"""Nova's own way to delete the accelerator requests of a server.

Nova asks Cyborg to delete all ARQs of a server. Such a request that comes
late deletes ARQs that were made since; and it is made for a server, too, that
may not get to the host that it is evacuated to. Nova's methods that send it
have no argument to say more, so a thread carries what is done instead:
:attr:`nova_cyborg.nova.carried.Carried.delete_arqs`.
"""

import collections.abc
import typing as ty

import wrapt
from nova.accelerator import cyborg

from nova_cyborg import signatures
from nova_cyborg.nova import carried

_SIGNATURES = {'delete_arqs_for_instance': 'instance_uuid'}


def install() -> str:
    """Put what looks for it around the method of Nova's client of Cyborg.

    :returns: nothing for the log.
    :raises PluginActivationFailed: if this release of Nova has another
        method.
    """
    signatures.check(cyborg._CyborgClient, _SIGNATURES)
    wrapt.wrap_function_wrapper(
        cyborg, '_CyborgClient.delete_arqs_for_instance', _delete
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
