# SPDX-License-Identifier: Apache-2.0

"""What an agent says of the cleaning of a slot."""

import logging

from cyborg import context as cyborg_context

from nova_cyborg.db.inventory import cleaning, slots

LOG = logging.getLogger(__name__)


def find(
    context: cyborg_context.RequestContext, handle_id: str, cleaning_id: str
) -> cleaning.Uncleaned | None:
    """Find a slot that is being cleaned.

    :param handle_id: UUID of its attach handle.
    :param cleaning_id: the id of the cleaning.
    :returns: the slot; None if that has ended, or was begun again.
    """
    for slot in cleaning.of_handles(context, [handle_id]):
        if not (slot.failed or slot.in_use) and slot.detail == cleaning_id:
            return slot
    return None


def record(
    context: cyborg_context.RequestContext,
    handle_id: str,
    cleaning_id: str,
    error: str | None,
) -> cleaning.Uncleaned | None:
    """Record how cleaning has ended; a word that comes late is no harm.

    :param handle_id: UUID of the attach handle.
    :param cleaning_id: the id of the cleaning.
    :param error: why it failed; None if it did not.
    :returns: the slot if it is given again; None if it is not, or the word
        is of no cleaning that was under way.
    """
    slot = find(context, handle_id, cleaning_id)
    if slot is None:
        return None
    place = slots.place_of(slot.attach_info) or slot.attach_info
    if error is None:
        if not cleaning.end(context, handle_id, cleaning_id):
            return None
        LOG.info(
            'Slot %s of host %s is clean: attach handle %s is given again',
            place,
            slot.hostname,
            handle_id,
        )
        return slot
    if cleaning.fail(context, handle_id, cleaning_id, error):
        LOG.warning(
            'Slot %s of host %s could not be cleaned, and attach handle %s is '
            'not given until "nova-cyborg-manage audit --repair" has it tried '
            'again: %s',
            place,
            slot.hostname,
            handle_id,
            error,
        )
    return None
