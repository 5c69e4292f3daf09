# SPDX-License-Identifier: Apache-2.0

"""nova-api: what is begun with a server is begun with it as it is by then.

Nova looks at a server first, and then says in its task state what is being
done with it. A device context may be attached to it between the two, or
detached: the marks that it bears were looked at too early. From the task state
on, no nova-compute attaches anything.
"""

from __future__ import annotations

import contextlib

from nova import exception as nova_exception
from nova.compute import api, instance_actions

from nova_cyborg.nova import marks, overrides

# What brings a server to a host, for nova-conductor to find one.
_TO_A_HOST = (instance_actions.EVACUATE, instance_actions.UNSHELVE)


class API(api.API):
    """Nova's compute API, for servers that get device contexts just then."""

    @overrides.method('context instance action')
    def _record_action_start(self, stock: overrides.Stock) -> None:
        stock()
        context, instance = stock['context'], stock['instance']
        # What was not looked at yet is read when it is; but not in
        # nova-conductor, which may be of another cell.
        if 'flavor' in instance or stock['action'] in _TO_A_HOST:
            # One that is gone by now has nothing.
            with contextlib.suppress(nova_exception.InstanceNotFound):
                marks.adopt(instance, marks.read(context, instance))
