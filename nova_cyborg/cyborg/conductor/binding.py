# SPDX-License-Identifier: Apache-2.0

"""Binding an ARQ that is unbound meanwhile.

Cyborg's conductor takes an attach handle, has a mediated device made, and
then writes both to the ARQ. One that was deleted in between cannot say what
it had: its handle would stay in use until an audit finds it.
"""

import collections.abc
import functools
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception
from cyborg.objects import ext_arq

from nova_cyborg.db import arqs
from nova_cyborg.db.inventory import handles
from nova_cyborg.lifecycle import unbind

LOG = logging.getLogger(__name__)

_Bind = collections.abc.Callable[
    [ty.Any, cyborg_context.RequestContext, ty.Any], None
]


def giving_back(stock: _Bind) -> _Bind:
    """Return Cyborg's ``ExtARQ.bind``, for ARQs that may be gone at its end.

    :param stock: Cyborg's method.
    :returns: the method to have in its place. It raises ResourceNotFound if
        the ARQ was deleted meanwhile; what was taken for it is given back.
    """

    @functools.wraps(stock)
    def bind(
        self: ext_arq.ExtARQ,
        context: cyborg_context.RequestContext,
        deployable: ty.Any,
    ) -> None:
        arq_id = self.arq.uuid
        try:
            stock(self, context, deployable)
        except Exception as exc:
            # Whatever a row that is not there makes Cyborg's code raise.
            admin = cyborg_context.get_admin_context()
            if arqs.states(admin, [arq_id]):
                raise
            _give_back(admin, arq_id, self.attach_handle_id)
            raise exception.ResourceNotFound(
                resource='ARQ', msg=f'{arq_id}: it was unbound meanwhile'
            ) from exc

    return bind


def _give_back(
    context: cyborg_context.RequestContext, arq_id: str, row_id: int | None
) -> None:
    """Give back what was taken for an ARQ; no guest has had it.

    :param row_id: row id of its attach handle; None if there is none.
    """
    handle = None if row_id is None else handles.of_row(context, row_id)
    if handle is None:
        return
    LOG.info(
        'ARQ %s was unbound while it was bound; its attach handle %s is '
        'given back',
        arq_id,
        handle.uuid,
    )
    unbind.unseen(handle)


def install() -> None:
    """Put it in the place of Cyborg's; safe to repeat."""
    stock = ext_arq.ExtARQ.bind
    if not hasattr(stock, '__wrapped__'):
        ext_arq.ExtARQ.bind = giving_back(stock)
