# SPDX-License-Identifier: Apache-2.0

"""Events that cyborg-conductor records of what it has bound."""

import collections.abc
import logging

from cyborg import context as cyborg_context

from nova_cyborg.db.events import finding

LOG = logging.getLogger(__name__)


def bound(arq_ids: collections.abc.Sequence[str], seconds: float) -> None:
    """Record what was bound among ARQs; raise nothing.

    :param arq_ids: UUIDs of ARQs that were to be bound.
    :param seconds: how long that took.
    """
    if not arq_ids:
        return
    try:
        finding.record_bound(
            cyborg_context.get_admin_context(), arq_ids, seconds
        )
    except Exception:
        # They are bound all the same.
        LOG.exception('What was bound could not be recorded as an event')
