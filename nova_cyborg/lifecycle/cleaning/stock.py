# SPDX-License-Identifier: Apache-2.0

"""Cleaning what stock Cyborg unbinds by itself, beside :mod:`..unbind`.

That is when somebody deletes ARQs by their UUIDs, and when their binding is
taken away by a PATCH.
"""

import collections.abc
import typing as ty

from cyborg import context as cyborg_context
from cyborg.objects import ext_arq

from nova_cyborg.db import arqs
from nova_cyborg.db.inventory import cleaning, handles
from nova_cyborg.lifecycle.cleaning import begin
from nova_cyborg.lifecycle.inventory import publishing


def install() -> None:
    """Have stock Cyborg's ``ExtARQ.unbind`` begin cleaning; safe to repeat."""
    stock = ext_arq.ExtARQ.unbind
    if stock.__module__ != __name__:
        ext_arq.ExtARQ.unbind = _cleaning(stock)


def _cleaning(
    stock: collections.abc.Callable[[ty.Any, ty.Any], None],
) -> collections.abc.Callable[[ty.Any, ty.Any], None]:
    def unbind(
        self: ext_arq.ExtARQ, context: cyborg_context.RequestContext
    ) -> None:
        admin = cyborg_context.get_admin_context()
        given_back = _given_back(admin, self)
        # Before the handle can be taken by somebody else.
        cleaning.begin(admin, given_back)
        stock(self, context)
        if given_back:
            publishing.publish(
                admin, {each.provider for each in given_back if each.provider}
            )
            begin.of_handles(admin, [each.uuid for each in given_back])

    return unbind


def _given_back(
    context: cyborg_context.RequestContext, request: ext_arq.ExtARQ
) -> list[handles.Handle]:
    """Find the attach handle of an ARQ, if its slot is to be cleaned."""
    row_id = request.attach_handle_id
    if row_id is None or request.arq.state in arqs.NEVER_IN_GUEST:
        return []
    found = handles.of_row(context, row_id)
    return [found] if found and found.cleaned else []
