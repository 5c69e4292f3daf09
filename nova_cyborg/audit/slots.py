# SPDX-License-Identifier: Apache-2.0

"""Slots of devices: their attach handles and ARQs."""

import collections
import collections.abc
import datetime
import functools

from cyborg import context as cyborg_context
from oslo_utils import timeutils

from nova_cyborg.audit import look
from nova_cyborg.db.inventory import cleaning, handles, slots
from nova_cyborg.lifecycle import unbind
from nova_cyborg.lifecycle.cleaning import begin

# Seconds that a cleaning may take in addition to its bound: until the agent
# was told, and has said how it ended. It is told with each report, too.
_GRACE = 120
_ADVICE = 'To get another device, shelve and unshelve the server.'


def find_handles(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find attach handles whose use and whose ARQs disagree.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for handle in handles.of_no_arq(view.context):
        yield look.Finding(
            'handle-of-no-arq',
            handle.uuid,
            'The attach handle is in use, by no accelerator request.',
            functools.partial(_unbind, handle),
        )
    for handle_id, row_id in handles.free_but_of_arq(view.context).items():
        yield look.Finding(
            'free-handle-of-arq',
            handle_id,
            'An accelerator request uses the attach handle, which counts as '
            'free.',
            functools.partial(_mark_in_use, row_id),
        )
    for handle_id, count in handles.of_several_arqs(view.context).items():
        yield look.Finding(
            'handle-of-several-arqs',
            handle_id,
            f'{count} accelerator requests use the attach handle. Delete '
            'all but one of their servers.',
        )


def _unbind(handle: handles.Handle) -> None:
    """Repair ``handle-of-no-arq``."""
    unbind.handle(handle)


def _mark_in_use(row_id: int) -> None:
    """Repair ``free-handle-of-arq``."""
    handles.mark_in_use(cyborg_context.get_admin_context(), row_id)


def find_lost(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find slots that are lost, missing, or of several servers.

    What a running guest has is never changed: no repair is without a person.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    uses = slots.uses(view.context)
    for use in uses:
        server = f'server {use.server_id}' if use.server_id else 'no server'
        if use.slot is None:
            yield look.Finding(
                'arq-without-slot',
                use.arq_id,
                f'The accelerator request is bound on {use.hostname} for '
                f'{server}, and its attach handle is gone. {_ADVICE}',
            )
        elif use.slot.missing:
            yield look.Finding(
                'device-missing',
                use.arq_id,
                f'{use.slot.place} on {use.hostname} is bound for {server}, '
                f'and the host does not report it any more. {_ADVICE}',
            )
    yield from _of_several_servers(uses)


def _of_several_servers(
    uses: collections.abc.Iterable[slots.Use],
) -> collections.abc.Iterator[look.Finding]:
    by_place = collections.defaultdict(list)
    for use in uses:
        if use.slot is not None:
            by_place[use.hostname, use.slot.place].append((use, use.slot))
    for (hostname, place), found in sorted(by_place.items()):
        others = {
            use.arq_id: use
            for use, slot in found
            for _other, other in found
            if slot.handle_id != other.handle_id and slot.excludes(other)
        }
        if others:
            servers = sorted({str(use.server_id) for use in others.values()})
            yield look.Finding(
                'slot-of-several-servers',
                f'{hostname}/{place}',
                'The slot is bound for more than one server: '
                f'{", ".join(servers)}. Delete or shelve all but one of them.',
            )


def find_uncleaned(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find slots that could not be cleaned, or that nobody cleans.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    now = timeutils.utcnow()
    for slot in cleaning.every(view.context):
        bound = datetime.timedelta(seconds=(slot.seconds or 0) + _GRACE)
        # One that still counts as in use is a finding of its own.
        if slot.in_use or not (slot.failed or now > slot.since + bound):
            continue
        place = slots.place_of(slot.attach_info) or slot.attach_info
        why = slot.detail if slot.failed else _not_cleaned(slot)
        yield look.Finding(
            'slot-not-cleaned',
            slot.handle_id,
            f'{place} on {slot.hostname} was given back, could not be '
            f'cleaned, and is not given to another server: {why}',
            functools.partial(begin.again, slot.handle_id),
        )


def _not_cleaned(slot: cleaning.Uncleaned) -> str:
    if slot.missing:
        return 'the host does not report it any more.'
    return (
        f'cyborg-agent has not said within {slot.seconds} s how it ended. See '
        'whether it runs there, with the plugin.'
    )
