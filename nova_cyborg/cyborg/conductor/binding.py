# SPDX-License-Identifier: Apache-2.0

"""Binding an ARQ that is unbound meanwhile, or bound by another process.

Cyborg's conductor takes an attach handle, has a mediated device made, and
then writes both to the ARQ. One that was deleted in between cannot say what
it had: its handle would stay in use until an audit finds it.
"""

import collections.abc
import functools
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import constants, exception
from cyborg.objects import ext_arq

from nova_cyborg.db import arqs
from nova_cyborg.db.inventory import handles
from nova_cyborg.db.reconciler import pending
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


_Allocate = collections.abc.Callable[
    [ty.Any, cyborg_context.RequestContext, ty.Any], None
]
_UpdateState = collections.abc.Callable[
    [ty.Any, cyborg_context.RequestContext, str, ty.Any], None
]


def unless_given(stock: _Allocate) -> _Allocate:
    """Return Cyborg's ``_allocate_attach_handle``, for one of two binders.

    The other one has taken a slot by then; or the ARQ is not being bound any
    more. What is saved after it would have the ARQ lose what its guest gets.

    :param stock: Cyborg's method.
    :returns: the method to have in its place. It raises ResourceNotFound if
        another one has; what was taken is given back.
    """

    @functools.wraps(stock)
    def allocate(
        self: ext_arq.ExtARQ,
        context: cyborg_context.RequestContext,
        deployable: ty.Any,
    ) -> None:
        with unbind.answering_soon(self.agent):
            stock(self, context, deployable)
        admin = cyborg_context.get_admin_context()
        arq_id, row_id = self.arq.uuid, self.attach_handle_id
        if not pending.give(admin, arq_id, row_id) and arqs.states(
            admin, [arq_id]
        ):
            self.attach_handle_id = None
            _give_back(admin, arq_id, row_id)
            raise exception.ResourceNotFound(
                resource='ARQ', msg=f'{arq_id}: it is bound by another process'
            )

    return allocate


def starting_once(stock: _UpdateState) -> _UpdateState:
    """Return Cyborg's ``update_state``, which lets one of two start to bind.

    :param stock: Cyborg's method. Of two that start at one moment, it would
        have each find that it has.
    :returns: the method to have in its place; it raises ARQBadState.
    """

    @functools.wraps(stock)
    def update_state(
        self: ext_arq.ExtARQ,
        context: cyborg_context.RequestContext,
        state: str,
        scope: ty.Any = None,
    ) -> None:
        if state == constants.ARQ_BIND_STARTED and scope:
            admin = cyborg_context.get_admin_context()
            values = {**self.obj_get_changes(), 'state': state}
            if not pending.start(admin, self.arq.uuid, values, scope):
                raise exception.ARQBadState(
                    state='another one', uuid=self.arq.uuid, expected=scope
                )
            scope = [*scope, state]
        stock(self, context, state, scope)

    return update_state


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


#: What is put in the place of Cyborg's methods of ARQs, by name.
WRAPPERS: dict[str, collections.abc.Callable[[ty.Any], ty.Any]] = {
    'bind': giving_back,
    '_allocate_attach_handle': unless_given,
    'update_state': starting_once,
}


def missing() -> dict[str, collections.abc.Callable[..., ty.Any]]:
    """Make what is not in the place of Cyborg's methods yet.

    One that is there twice takes the other one for another process.

    :returns: methods of Cyborg's ARQs by name.
    """
    found = {name: getattr(ext_arq.ExtARQ, name) for name in WRAPPERS}
    return {
        name: WRAPPERS[name](stock)
        for name, stock in found.items()
        if not hasattr(stock, '__wrapped__')
    }


def install() -> None:
    """Put it in the place of Cyborg's; safe to repeat."""
    for name, method in missing().items():
        setattr(ext_arq.ExtARQ, name, method)
