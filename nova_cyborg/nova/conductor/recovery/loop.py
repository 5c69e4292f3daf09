# SPDX-License-Identifier: Apache-2.0

"""The loop: one of all nova-conductors at a time ends interrupted builds.

Cyborg says which servers have held device contexts for long and were never
seen at rest, and tells one process at a time; Nova's API database, which ones
no nova-conductor has taken up. Where there is no API database, as in a cell,
nothing is done.
"""

from __future__ import annotations

import logging
import uuid

from nova import conf
from nova import context as nova_context
from nova.conductor import manager

from nova_cyborg import exception
from nova_cyborg.nova import client
from nova_cyborg.nova.conductor.recovery import builds

CONF = conf.CONF
LOG = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 30


class Loop:
    """Looks for servers whose build was interrupted, and ends it.

    :param host: the host that this process is known by.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._process = str(uuid.uuid4())
        self._marker = 0
        self._is_answered = True
        # Servers that a person was told of, and those of the last pass.
        self._told: set[str] = set()
        self._seen: set[str] = set()

    def tick(
        self,
        context: nova_context.RequestContext,
        tasks: manager.ComputeTaskManager,
    ) -> None:
        """Look at some servers that may have been interrupted.

        :param context: an administrator's context.
        :param tasks: Nova's manager of what is done with servers.
        """
        seconds = CONF.nova_cyborg.build_interrupted_after
        if not seconds or not CONF.api_database.connection:
            return
        able = client.with_credentials(context)
        allocations = client.allocation_client(able)
        try:
            found = allocations.overdue(
                self._process, self._host, seconds, self._marker
            )
        except exception.DeviceContextError as exc:
            self._note_refusal(exc)
            return
        if not self._is_answered:
            LOG.info('Interrupted builds are looked for again')
            self._is_answered = True
        if not found.told:
            return
        self._marker = found.marker
        ended = builds.Builds(tasks, seconds)
        for server_id in {*found.server_ids, *ended.overdue(able)}:
            try:
                ended.end(able, allocations, server_id)
            except Exception as exc:  # noqa: BLE001 - a cell raises many
                self._note_failure(server_id, exc)
        if not found.marker:
            # All were looked at: of the others, nothing fails any more.
            self._told &= self._seen
            self._seen = set()

    def _note_refusal(self, error: Exception) -> None:
        """Log that Cyborg tells nothing: aloud when that begins."""
        level = logging.WARNING if self._is_answered else logging.DEBUG
        self._is_answered = False
        LOG.log(
            level,
            'Interrupted builds are not looked for until Cyborg says which '
            'servers to look at: %s',
            error,
        )

    def _note_failure(self, server_id: str, error: Exception) -> None:
        """Log that one cannot be looked at: aloud when that begins."""
        level = logging.DEBUG if server_id in self._told else logging.WARNING
        self._told.add(server_id)
        self._seen.add(server_id)
        LOG.log(
            level,
            'Whether the build of server %s was interrupted is looked at '
            'later: %s',
            server_id,
            error,
        )
