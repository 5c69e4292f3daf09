# SPDX-License-Identifier: Apache-2.0

"""Rows of Cyborg's and ours that have lost what they belong to."""

from __future__ import annotations

import collections.abc
import functools
import time
import typing as ty

from cyborg import context as cyborg_context

from nova_cyborg.db import allocations, arqs, profiles
from nova_cyborg.db.inventory import handles
from nova_cyborg.db.reconciler import leftovers, profile_arqs
from nova_cyborg.lifecycle import nova, servers, unbind
from nova_cyborg.lifecycle.reconciling import report
from nova_cyborg.lifecycle.reconciling.suspects import looks, memory, watch

# Seconds from when an attach handle counts as in use to when an ARQ names it,
# at most: a mediated device is made in between.
_MAKING = unbind.AGENT_ANSWERS_WITHIN + 10


class Leftovers:
    """What is remembered of them.

    :param shared: what all looks have in common.
    """

    def __init__(self, shared: looks.Looks) -> None:
        self._report = shared.report
        self._slots: watch.Suspects[leftovers.Slot] = shared.suspects()
        self._links: watch.Suspects[str] = shared.suspects()
        self._arqs: watch.Suspects[tuple[str, str | None]] = shared.suspects()
        self._profiles: watch.Suspects[tuple[str, int]] = shared.suspects()
        # What holds no slot is looked at in turn.
        self._turn = 0

    @property
    def oldest(self) -> float | None:
        """Since when the oldest of them is known; None if there is none."""
        found = (
            self._slots.oldest,
            self._links.oldest,
            self._arqs.oldest,
            self._profiles.oldest,
        )
        return min((each for each in found if each is not None), default=None)

    @property
    def seen(self) -> list[memory.Seen]:
        """Return all that are known, and since when."""
        return [
            *self._slots.seen,
            *self._links.seen,
            *self._arqs.seen,
            *self._profiles.seen,
        ]

    def look(self, budget: report.Budget) -> None:
        """Find them, and put those right that were found before.

        :param budget: how long that may take.
        """
        context = cyborg_context.get_admin_context()
        self._look_at_slots(context, budget)
        self._turn += 1
        if self._turn % 2:
            self._look_at_links(context, budget)
            self._look_at_arqs(context, budget)
        elif self._turn % 4:
            self._look_at_profiles(context, budget)
        else:
            profile_arqs.tidy(context)

    def _look_at_slots(
        self, context: cyborg_context.RequestContext, budget: report.Budget
    ) -> None:
        for slot in self._slots.confirmed(
            leftovers.slots(context), time.monotonic(), _grace_of
        ):
            kind, repair = (
                ('handle-of-no-arq', _free)
                if slot.in_use
                else ('free-handle-of-arq', _mark_in_use)
            )
            self._carry_out(
                budget,
                self._slots,
                kind,
                slot.uuid,
                slot,
                functools.partial(repair, slot),
            )

    def _look_at_links(
        self, context: cyborg_context.RequestContext, budget: report.Budget
    ) -> None:
        for server_id in self._links.confirmed(
            leftovers.servers_with_links(context), time.monotonic()
        ):
            self._carry_out(
                budget,
                self._links,
                'link-of-no-arq',
                server_id,
                server_id,
                functools.partial(_tidy, server_id),
            )

    def _look_at_arqs(
        self, context: cyborg_context.RequestContext, budget: report.Budget
    ) -> None:
        for one in self._arqs.confirmed(
            arqs.of_no_context(context).items(), time.monotonic()
        ):
            self._carry_out(
                budget,
                self._arqs,
                'arq-of-no-context',
                one[0],
                one,
                functools.partial(_unbind, *one),
            )

    def _look_at_profiles(
        self, context: cyborg_context.RequestContext, budget: report.Budget
    ) -> None:
        for one in self._profiles.confirmed(
            profiles.of_no_arq(context).items(), time.monotonic()
        ):
            self._carry_out(
                budget,
                self._profiles,
                'profile-of-no-arq',
                one[0],
                one,
                functools.partial(_remove_profile, one[1]),
            )

    def _carry_out(
        self,
        budget: report.Budget,
        suspects: watch.Suspects[ty.Any],
        kind: str,
        subject: str,
        fact: collections.abc.Hashable,
        repair: report.Repair,
    ) -> None:
        if budget.left and not self._report.carry_out(kind, subject, repair):
            suspects.begin_anew(fact, time.monotonic())


def _grace_of(slot: leftovers.Slot) -> float:
    return _MAKING if slot.attach_type == handles.MDEV else 0


def _free(slot: leftovers.Slot) -> bool:
    context = cyborg_context.get_admin_context()
    if slot not in leftovers.slots(context):
        return False
    handle = handles.of_row(context, slot.row_id)
    if handle is None:
        return False
    unbind.handle(handle)
    return True


def _mark_in_use(slot: leftovers.Slot) -> bool:
    context = cyborg_context.get_admin_context()
    handles.mark_in_use(context, slot.row_id)
    return True


def _tidy(server_id: str) -> bool:
    allocations.tidy(cyborg_context.get_admin_context(), server_id)
    return True


def _unbind(arq_id: str, server_id: str | None) -> bool:
    # What a server that exists may have in its guest stays.
    if server_id is not None:
        says = nova.Nova()
        if says.server(server_id).state is not servers.State.GONE or (
            not says.all_cells_answer
        ):
            return False
    unbind.of_no_context(arq_id)
    return True


def _remove_profile(row_id: int) -> bool:
    profiles.remove(cyborg_context.get_admin_context(), row_id)
    return True
