# SPDX-License-Identifier: Apache-2.0

"""An explanation: a sentence, and what each requirement has left."""

from __future__ import annotations

import collections.abc
import dataclasses

from nova_cyborg.explaining import requirements, search, sentences


@dataclasses.dataclass(frozen=True)
class Row:
    """What a requirement has left.

    :ivar requirement: what is required, in words.
    :ivar kind: one of :class:`requirements.Kind`.
    :ivar name: the resource class or the trait that it is about.
    :ivar met: whether a host is left with it and all before it; None if that
        was not looked at.
    :ivar hosts: how many hosts are left; None if they were not counted.
    :ivar more: whether there may be more than those.
    """

    requirement: str
    kind: str
    name: str
    met: bool | None
    hosts: int | None = None
    more: bool = False


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why no host has what is asked for, if none has.

    :ivar fits: whether a host has it; None if that was not found out.
    :ivar sentence: what to change.
    :ivar rows: what is required, in the order in which it was looked at.
    """

    fits: bool | None
    sentence: str
    rows: tuple[Row, ...] = ()

    @property
    def reason(self) -> str:
        """In a word, why no host has it, as for numbers of such cases.

        The kind of the requirement that leaves no host; ``filters`` if one is
        left, and it is something else that refuses it; ``unknown``.
        """
        if self.fits:
            return 'filters'
        failing = (row.kind for row in self.rows if row.met is False)
        return next(failing, 'unknown')


def explain(
    picks: collections.abc.Sequence[
        collections.abc.Sequence[requirements.Asked]
    ],
    server: requirements.Server,
    placement: search.Placement,
    count: sentences.Count,
    counting: bool = False,
    given: frozenset[str] | None = None,
) -> Explanation:
    """Explain why no host has what is asked for.

    :param picks: the groups of all device contexts, with each combination of
        their alternatives, in the order in which they are tried.
    :param server: what is asked for beside them.
    :param placement: is asked, :data:`search.MAX_QUESTIONS` times at most.
    :param count: counts units of devices.
    :param counting: whether hosts are to be counted, too.
    :param given: the resource classes that device contexts are given devices
        of, whatever else Placement knows; None for any.
    :returns: the explanation.
    """
    wanted = [requirements.of_server(asked, server) for asked in picks]
    found = search.find(wanted, placement, counting, given)
    asked = picks[found.pick]
    rows = [
        _row(found, index, asked, counting)
        for index in range(len(found.requirements))
    ]
    # The others in one row each.
    rows += (
        Row(
            sentences.alternatives(picks, number),
            requirements.Kind.ALTERNATIVES,
            '',
            fits,
        )
        for number, fits in enumerate(found.fits)
        if number != found.pick
    )
    return Explanation(
        found.fits_any(),
        sentences.sentence(found, picks, count),
        tuple(rows),
    )


def _row(
    found: search.Found,
    index: int,
    asked: collections.abc.Sequence[requirements.Asked],
    counting: bool,
) -> Row:
    each = found.requirements[index]
    left = found.left.get(index + 1) if counting else None
    return Row(
        sentences.requirement(each, asked),
        each.kind,
        each.name,
        found.is_met(index),
        left.hosts if left else None,
        left.more if left else False,
    )
