# SPDX-License-Identifier: Apache-2.0

"""Having the agents clean the slots of their hosts.

They are told, and not waited for. What does not reach an agent is repeated
with each report of its host.
"""

import collections
import collections.abc
import logging

from cyborg import context as cyborg_context
from cyborg.agent import rpcapi

from nova_cyborg.db.inventory import cleaning

LOG = logging.getLogger(__name__)

# Attempts to hand a message to the bus. By default there is no end of them.
_ATTEMPTS = 2


def of_handles(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
) -> None:
    """Have slots cleaned that were given back, as far as they are to be.

    :param handle_ids: UUIDs of their attach handles.
    """
    if handle_ids:
        _tell(context, cleaning.of_handles(context, handle_ids))


def of_host(context: cyborg_context.RequestContext, hostname: str) -> set[str]:
    """Have slots of a host cleaned that are not clean yet.

    Those that could not be cleaned are left as they are; and they are given
    again if their device is not one any more of which slots are cleaned.

    :param hostname: the name of the node, which has reported its devices.
    :returns: the names of deployables of which slots are given again.
    """
    found = cleaning.of_host(context, hostname)
    given_again = [
        slot for slot in found if slot.failed and slot.seconds is None
    ]
    if given_again:
        cleaning.end_failed(context, [slot.handle_id for slot in given_again])
    for slot in given_again:
        LOG.info(
            'Attach handle %s of host %s is given again, though it could not '
            'be cleaned: slots of its device are not cleaned any more',
            slot.handle_id,
            hostname,
        )
    _tell(context, found)
    return {slot.deployable for slot in given_again}


def again(handle_id: str) -> None:
    """Have a slot cleaned that could not be, or that nobody has cleaned.

    :param handle_id: UUID of its attach handle.
    """
    context = cyborg_context.get_admin_context()
    cleaning.begin_again(context, handle_id)
    of_handles(context, [handle_id])


def _tell(
    context: cyborg_context.RequestContext,
    uncleaned: collections.abc.Iterable[cleaning.Uncleaned],
) -> None:
    by_host = collections.defaultdict(list)
    for slot in uncleaned:
        # One that is missing waits until it is there.
        if not (slot.failed or slot.in_use or slot.missing):
            by_host[slot.hostname].append(
                {
                    'handle_id': slot.handle_id,
                    'cleaning_id': slot.detail,
                    'deployable': slot.deployable,
                    'attach_type': slot.attach_type,
                    'attach_info': slot.attach_info,
                }
            )
    for hostname, slots in by_host.items():
        try:
            client = rpcapi.AgentAPI().client
            client.prepare(server=hostname, retry=_ATTEMPTS).cast(
                context, 'clean_slots', slots=slots
            )
        except Exception as exc:  # noqa: BLE001
            # Whatever the message bus raises. The next report repeats it.
            LOG.debug('Host %s is not told to clean slots: %s', hostname, exc)
