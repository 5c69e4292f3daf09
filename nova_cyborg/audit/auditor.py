# SPDX-License-Identifier: Apache-2.0

"""The audit: it looks, looks again, and repairs.

All that is compared changes while the audit runs, so it looks twice, and
only what it sees both times counts.
"""

import collections.abc
import dataclasses
import logging
import time

from cyborg import context as cyborg_context

from nova_cyborg.audit import (
    allocations,
    arqs,
    guests,
    holders,
    look,
    moves,
    providers,
    slots,
)
from nova_cyborg.db.reconciler import leases

LOG = logging.getLogger(__name__)

#: Seconds between the two looks. Cyborg marks an attach handle as in use
#: before an ARQ names it, and makes a mediated device in between, by an RPC
#: call that may take 60 s.
GRACE = 90

# What is looked at, in this order.
_SUBJECTS: tuple[
    collections.abc.Callable[
        [look.Look], collections.abc.Iterator[look.Finding]
    ],
    ...,
] = (
    holders.find,
    holders.find_changing,
    moves.find_left_behind,
    arqs.find_of_no_context,
    arqs.find_of_no_server,
    slots.find_handles,
    slots.find_lost,
    slots.find_uncleaned,
    arqs.find_unused_profiles,
    moves.find_on_another_host,
    # First: what a migration has, nobody else can be allocated.
    moves.find_unended,
    allocations.find,
    providers.find_without_device,
    providers.find_twins,
    providers.find_differing,
    providers.find_tainted,
    guests.find,
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was found, and what became of it.

    :ivar finding: what disagreed.
    :ivar repaired: whether it was put right.
    """

    finding: look.Finding
    repaired: bool


def look_once() -> list[look.Finding]:
    """Compare Cyborg with Nova and Placement, once.

    :returns: what disagrees at this moment, part of which may be requests
        that are under way.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    """
    one = look.Look()
    return [finding for find in _SUBJECTS for finding in find(one)]


def run(
    grace: int,
    repair: bool,
    tell: collections.abc.Callable[[str], None],
) -> list[Outcome]:
    """Look, look again, and repair if that is asked for.

    :param grace: seconds between the two looks; 0 for one look only.
    :param repair: whether what was found is put right, if it can be.
    :param tell: is told of the progress, a line at a time.
    :returns: what was found.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    """
    tell(_who_reconciles())
    found = look_once()
    if found and grace:
        tell(f'{len(found)} found; looking again in {grace} s')
        time.sleep(grace)
        found = [finding for finding in look_once() if finding in found]
    return [
        Outcome(finding, repaired=repair and _repair(finding))
        for finding in found
    ]


def _who_reconciles() -> str:
    """Say whether what is found may be put right without the audit."""
    context = cyborg_context.get_admin_context()
    lease = leases.read(context, leases.RECONCILER)
    if lease is None or not lease.in_use:
        return 'No cyborg-conductor reconciles.'
    repaired = sum(lease.report.get('repaired', {}).values())
    failed = ', '.join(sorted(lease.report.get('failed', {}))) or 'none'
    return (
        f'cyborg-conductor on {lease.host} reconciles: its last good round '
        f'began {lease.good_age} s ago; it has repaired {repaired}; repairs '
        f'that have failed: {failed}. {leases.who_ends_builds(context)}'
    )


def _repair(finding: look.Finding) -> bool:
    if finding.repair is None:
        return False
    try:
        finding.repair()
    except Exception as exc:  # noqa: BLE001 - the others are repaired all the same
        LOG.error('%s %s: %s', finding.kind, finding.subject, exc)
        return False
    return True
