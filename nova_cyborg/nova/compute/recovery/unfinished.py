# SPDX-License-Identifier: Apache-2.0

"""nova-compute: what Cyborg could not be told is told again, until it is.

A server that is deleted, moved or not built goes its way in Nova even if
Cyborg does not answer. What Cyborg was to give back is kept here meanwhile,
and a thread goes on telling it. There is a thread only while there is
something to tell. What a nova-compute that is stopped has not told, the
reconciler in cyborg-conductor finds.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import logging
import threading
import time

from nova import conf
from nova import context as nova_context

from nova_cyborg import cyborg_client, exception
from nova_cyborg.nova import client

CONF = conf.CONF
LOG = logging.getLogger(__name__)

#: Something to tell Cyborg, which is safe to repeat, and to come late.
Call = collections.abc.Callable[[cyborg_client.AllocationClient], object]

#: Name of the thread that tells it.
THREAD = 'nova-cyborg-unfinished'
# The longest pause between two tries, in seconds.
_LONGEST = 60.0
# What is kept at once: more servers than a host has.
_MOST = 1000


@dataclasses.dataclass
class _Entry:
    """Something that Cyborg was not told yet.

    :ivar call: tells it.
    :ivar pause: seconds to the next try, after one that failed.
    :ivar due: when it is tried next, of the monotonic clock.
    """

    call: Call
    pause: float
    due: float


class Unfinished:
    """Keeps what Cyborg was not told, and tells it."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._changed = threading.Condition()
        self._runs = False

    def tell(
        self,
        context: nova_context.RequestContext,
        server_id: str,
        what: str,
        call: Call,
    ) -> None:
        """Tell Cyborg something: now, or else later.

        :param context: the context of the request that it is for.
        :param server_id: UUID of the server.
        :param what: what it is, for the log: "release its device contexts".
            What is to be told of the same server by the same words is told
            once.
        :param call: tells it; safe to repeat.
        """
        try:
            _ask(context, call)
        except exception.DeviceContextError as exc:
            if not _is_worth_repeating(exc):
                LOG.warning(
                    'Cyborg refuses to %s, of server %s: %s',
                    what,
                    server_id,
                    exc,
                )
            elif self._keep(server_id, what, call):
                LOG.warning(
                    'Cyborg could not be asked to %s, of server %s; it is '
                    'asked again until it does: %s',
                    what,
                    server_id,
                    exc,
                )
            else:
                LOG.error(
                    'Cyborg could not be asked to %s, of server %s, and it '
                    'is to be asked too much already. Run '
                    '"nova-cyborg-manage audit --repair", unless '
                    'cyborg-conductor reconciles: %s',
                    what,
                    server_id,
                    exc,
                )
        else:
            # It is newer than what was to be told.
            with self._changed:
                self._entries.pop((server_id, what), None)

    def _keep(self, server_id: str, what: str, call: Call) -> bool:
        """Keep something for later.

        :returns: False if there is too much already.
        """
        pause = CONF.nova_cyborg.release_retry_interval
        if not pause:
            return False
        with self._changed:
            key = server_id, what
            if key not in self._entries and len(self._entries) >= _MOST:
                return False
            self._entries[key] = _Entry(call, pause, time.monotonic() + pause)
            self._changed.notify()
            if not self._runs:
                self._runs = True
                threading.Thread(
                    target=self._run, name=THREAD, daemon=True
                ).start()
            return True

    def _run(self) -> None:
        """Tell what is due, until nothing is left."""
        while (due := self._next()) is not None:
            key, entry = due
            self._try(*key, entry)

    def _next(self) -> tuple[tuple[str, str], _Entry] | None:
        """Wait until something is due.

        :returns: it; None if nothing is left, and the thread ends.
        """
        with self._changed:
            while self._entries:
                key, entry = min(
                    self._entries.items(), key=lambda each: each[1].due
                )
                seconds = entry.due - time.monotonic()
                if seconds <= 0:
                    return key, entry
                # What comes meanwhile may be due before.
                self._changed.wait(seconds)
            self._runs = False
            return None

    def _try(self, server_id: str, what: str, entry: _Entry) -> None:
        context = client.with_credentials(nova_context.get_admin_context())
        try:
            _ask(context, entry.call)
        except exception.DeviceContextError as exc:
            if _is_worth_repeating(exc):
                LOG.debug('Server %s: %s: not yet: %s', server_id, what, exc)
                entry.pause = min(2 * entry.pause, _LONGEST)
                entry.due = time.monotonic() + entry.pause
                return
            LOG.warning(
                'Cyborg refuses to %s, of server %s: %s', what, server_id, exc
            )
        except Exception:
            # The others are to be told all the same.
            LOG.exception('Failed to %s, of server %s', what, server_id)
        else:
            LOG.info('Cyborg was asked to %s, of server %s', what, server_id)
        with self._changed:
            if self._entries.get((server_id, what)) is entry:
                del self._entries[server_id, what]


def _ask(context: nova_context.RequestContext, call: Call) -> None:
    """Tell Cyborg something.

    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    try:
        call(client.allocation_client(context))
    except (exception.AllocationNotFound, exception.OtherAttempt) as exc:
        # Somebody has done it, or it has been bound anew since.
        LOG.debug('Cyborg has nothing to do: %s', exc)


def _is_worth_repeating(error: exception.DeviceContextError) -> bool:
    """Tell whether an error may be gone when Cyborg is asked again."""
    lacks_rights = isinstance(
        error, exception.Forbidden | exception.ServiceTokenRequired
    )
    return lacks_rights or error.status >= 500


#: That of this process.
UNFINISHED = Unfinished()
