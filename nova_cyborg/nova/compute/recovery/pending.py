# SPDX-License-Identifier: Apache-2.0

"""nova-compute: what a graceful shutdown waits for.

Since 2026.2, Nova counts a server that comes here by a resize or a migration
from the first message to the last, and remembers one of them for each server.
If the first message is delivered twice, it forgets one that it has counted,
and waits for it when it is stopped, for as long as it is told to.
"""

from __future__ import annotations

import collections
import threading
import typing as ty

from nova.compute import manager

from nova_cyborg import signatures
from nova_cyborg.nova.compute import live

# What Nova calls a server that comes here.
_COMES = 'prep_resize_at_dest'
_NAME = '_record_task_start'
# A message comes again within minutes.
_REMEMBERED = 1000


class ComputeManager(live.ComputeManager):
    """Nova's compute manager, which counts each message once."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._counted: collections.deque[tuple[tuple[object, object], int]] = (
            collections.deque(maxlen=_REMEMBERED)
        )
        self._counting = threading.Lock()

    def _record_task_start(
        self,
        task_name: str,
        instance_uuid: str | None = None,
        request_id: str | None = None,
    ) -> int:
        """Count something that is begun, unless it is counted.

        :returns: its key, whether it is over or not.
        """
        record: ty.Any = super()._record_task_start
        if task_name != _COMES:
            return int(record(task_name, instance_uuid, request_id))
        # A server of a request comes to a host once.
        message = (instance_uuid, request_id)
        with self._counting:
            for known, key in self._counted:
                if known == message:
                    return key
            key = int(record(task_name, instance_uuid, request_id))
            self._counted.append((message, key))
        return key


def check() -> None:
    """Check that Nova counts as is assumed here, if it does.

    :raises PluginActivationFailed: if it counts otherwise.
    """
    if hasattr(manager.ComputeManager, _NAME):
        signatures.check(
            manager.ComputeManager,
            {_NAME: 'task_name instance_uuid request_id'},
        )
