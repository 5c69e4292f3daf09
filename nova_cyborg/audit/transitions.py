# SPDX-License-Identifier: Apache-2.0

"""Device contexts that are being attached or detached, and should not be."""

import collections.abc
import datetime

from nova_cyborg.audit import look
from nova_cyborg.db.bindings import transitions
from nova_cyborg.lifecycle import servers

#: How long attaching or detaching one may take.
MOST = datetime.timedelta(minutes=10)


def find(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find device contexts whose transition has not ended.

    Nothing is repaired from here: the guest may have the device, or not, and
    the call that is made again looks.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for each in transitions.begun_before(view.context, MOST):
        if view.nova.server(each.server_id).state in servers.NEVER_TO_USE:
            # It is released with the rest of what that server holds.
            continue
        verb = (
            'attached to'
            if each.transition == transitions.ATTACHING
            else 'detached from'
        )
        yield look.Finding(
            'attach-not-ended',
            each.context_id,
            f'The device context is being {verb} server {each.server_id} '
            f'for more than {MOST.seconds // 60} minutes. Repeat the request.',
        )
