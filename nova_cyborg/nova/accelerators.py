# SPDX-License-Identifier: Apache-2.0

"""Nova's own way to delete the accelerator requests of a server.

Nova asks Cyborg to delete all that a server has. Such a request that comes
late deletes what the server has got since; and it says nothing of a server
that may not get to where it is evacuated to. Nova's methods that send it have
no argument to say more, so what is done instead is set around them.
"""

import collections.abc
import contextlib
import contextvars
import typing as ty

import wrapt
from nova.accelerator import cyborg

from nova_cyborg.contract import signatures

_SIGNATURES = {'delete_arqs_for_instance': 'instance_uuid'}
_Instead = collections.abc.Callable[[], None]
_instead: contextvars.ContextVar[_Instead | None] = contextvars.ContextVar(
    'nova_cyborg_instead_of_deleting', default=None
)


@contextlib.contextmanager
def instead_of_deleting(work: _Instead) -> collections.abc.Iterator[None]:
    """Have something else done where Nova deletes all that a server has.

    :param work: what is done, in this thread, or green thread. What it
        raises comes out of Nova's client: AcceleratorRequestOpFailed is
        what Nova expects.
    :returns: a context manager.
    """
    token = _instead.set(work)
    try:
        yield
    finally:
        _instead.reset(token)


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
    work = _instead.get()
    if work is None:
        stock(*args, **kwargs)
    else:
        work()
