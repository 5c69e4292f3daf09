# SPDX-License-Identifier: Apache-2.0

"""Bindings whose process has died are driven on, by their rows."""

from __future__ import annotations

import functools
import time

from cyborg import context as cyborg_context

from nova_cyborg.db.reconciler import pending
from nova_cyborg.lifecycle import bind, nova, servers, unbind
from nova_cyborg.lifecycle.reconciling import report
from nova_cyborg.lifecycle.reconciling.suspects import looks, memory, watch

_KIND = 'binding-not-finished'
# For how many seconds a cyborg-conductor may be at it, if nothing is to be
# programmed: it has the agent make a mediated device.
_MAKING = unbind.AGENT_ANSWERS_WITHIN + 10
# Of others, nothing becomes any more, or Nova does not say.
_WAITING = (servers.State.EXISTS, servers.State.ARRIVING)


class Pending:
    """What is remembered of them.

    :param shared: what all looks have in common.
    :param conductor: binds; see :func:`bind.resume`.
    """

    def __init__(self, shared: looks.Looks, conductor: bind.Conductor) -> None:
        self._report = shared.report
        self._conductor = conductor
        self._suspects: watch.Suspects[pending.Binding] = shared.suspects()

    @property
    def seen(self) -> list[memory.Seen]:
        """Return all that are known, and since when."""
        return self._suspects.seen

    def look(self, budget: report.Budget) -> None:
        """Find them, and have those go on that were found before.

        :param budget: how long that may take.
        """
        context = cyborg_context.get_admin_context()
        found = [
            each
            for each in pending.find(context)
            # It may take as long as it takes.
            if not any(arq.is_programmed for arq in each.arqs)
        ]
        for each in self._suspects.confirmed(
            found, time.monotonic(), _grace_of
        ):
            if not budget.left:
                return
            self._report.carry_out(
                _KIND, each.server_id, functools.partial(self._resume, each)
            )
            # Nova may not say yet that the server waits for it.
            self._suspects.begin_anew(each, time.monotonic())

    def _resume(self, binding: pending.Binding) -> bool:
        says = nova.Nova()
        if says.server(binding.server_id).state not in _WAITING:
            return False
        context = cyborg_context.get_admin_context()
        if not pending.claim(context, binding):
            return False
        bind.resume(
            context,
            self._conductor,
            binding.server_id,
            binding.as_attempt(
                arq for arq in binding.arqs if arq.handle_id is None
            ),
        )
        done = [arq for arq in binding.arqs if arq.handle_id is not None]
        if done:
            bind.tell(binding.server_id, binding.as_attempt(done))
        return True


def _grace_of(binding: pending.Binding) -> float:
    return _MAKING if binding.is_started else 0
