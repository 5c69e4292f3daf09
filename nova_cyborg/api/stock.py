# SPDX-License-Identifier: Apache-2.0

"""Cyborg's own routes, where the handler is ours."""

import collections.abc
import contextlib
import functools
import inspect
import logging
import typing as ty

from cyborg.api import expose as stock
from cyborg.common import exception as cyborg_exception

from nova_cyborg.db import session

LOG = logging.getLogger(__name__)

_Handler = collections.abc.Callable[..., ty.Any]

_TOLD = (
    'The database of the Accelerator service (Cyborg) has failed. Try again '
    'later. Operators: the log of cyborg-api says why.'
)


def expose(
    *types: object, **options: ty.Any
) -> collections.abc.Callable[[_Handler], _Handler]:
    """Cyborg's decorator of handlers, for what uses the database.

    :param types: the types of the answer and of the parameters.
    :param options: as Cyborg's.
    :returns: a decorator.
    """

    def decorate(method: _Handler) -> _Handler:
        @functools.wraps(method)
        def run(*args: object, **kwargs: object) -> ty.Any:
            with hiding_statements():
                return method(*args, **kwargs)

        # Cyborg's looks for the parameters there, and not beneath. pecan looks
        # at what that makes, and is to see that it takes any.
        ty.cast(ty.Any, run).__signature__ = inspect.signature(method)
        exposed: _Handler = stock.expose(*types, **options)(run)
        del vars(exposed)['__signature__']
        return exposed

    return decorate


@contextlib.contextmanager
def hiding_statements() -> collections.abc.Iterator[None]:
    """Keep what is sent to the database from the caller, if it fails.

    Cyborg answers with the words of whatever was raised.

    :returns: a context manager.
    :raises CyborgException: if the database fails.
    """
    try:
        yield
    except session.FAILURES:
        LOG.exception('A request for accelerators failed in the database')
        # Not from it: it would be found again.
        raise cyborg_exception.CyborgException(_TOLD) from None
