# SPDX-License-Identifier: Apache-2.0

"""How often something has happened, in all processes together.

The numbers only rise. There are as many rows as kinds of what is counted.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg.db import session, tables

#: Events, by ``action/outcome``.
EVENTS = 'events'
#: Requests that were refused, by the code of the error.
REFUSALS = 'refusals'
#: Bindings, by how long they took: see :data:`SECONDS_LABELS`.
BINDINGS = 'bindings'

#: Upper bounds of how long bindings take. A slot is given in milliseconds, an
#: FPGA is programmed in minutes.
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
#: What the bounds are called; the last one is of what takes longer.
SECONDS_LABELS = (*(str(float(each)) for each in SECONDS), '+Inf')


@dataclasses.dataclass(frozen=True)
class Count:
    """How often something has happened, and how long that took together."""

    times: int = 0
    seconds: float = 0

    def __add__(self, other: Count) -> Count:
        """Return both together."""
        return Count(self.times + other.times, self.seconds + other.seconds)


@session.retry
def add(
    context: cyborg_context.RequestContext,
    found: collections.abc.Mapping[tuple[str, str], Count],
) -> None:
    """Add to what was counted before.

    :param found: what has happened, by its name and label.
    """
    row = tables.MetricCount
    with session.writing(context) as db:
        # In one order, so that two that add the same wait for each other.
        for (name, label), count in sorted(found.items()):
            changed: ty.Any = db.execute(
                sa.update(row)
                .where(row.name == name, row.label == label)
                .values(
                    times=row.times + count.times,
                    seconds=row.seconds + count.seconds,
                ),
                execution_options={'synchronize_session': False},
            )
            if not changed.rowcount:
                db.execute(
                    sa.insert(row).values(
                        name=name,
                        label=label,
                        times=count.times,
                        seconds=count.seconds,
                    )
                )


def read(
    context: cyborg_context.RequestContext,
) -> dict[tuple[str, str], Count]:
    """Read all that was counted, with one statement.

    :returns: how often it has happened, by its name and label.
    """
    row = tables.MetricCount
    query = sa.select(row.name, row.label, row.times, row.seconds)
    return {
        (name, label): Count(times, seconds)
        for name, label, times, seconds in session.rows(context, query)
    }
