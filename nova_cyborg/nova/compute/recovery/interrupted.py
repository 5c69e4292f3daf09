# SPDX-License-Identifier: Apache-2.0

"""nova-compute: live migrations that go on while it is started again.

nova-compute is not libvirt, which migrates a guest that it was told to migrate
whatever becomes of nova-compute. Until it is over, it is not known which
devices the guest uses: those of this host, or those of the other one.
"""

from __future__ import annotations

import collections.abc
import enum
import logging
import threading
import time

LOG = logging.getLogger(__name__)

#: Name of the thread that waits.
THREAD = 'nova-cyborg-interrupted'
# How long libvirt is given to abort a migration, or to end it.
_SECONDS = 30.0
_POLL_SECONDS = 1.0


class Guest(enum.Enum):
    """Where a guest is that was being migrated from here."""

    #: It is here, and libvirt has no job on it, as far as it says.
    STAYS = 'stays'
    #: libvirt does not know it any more: it is at the destination.
    LEFT = 'left'
    #: It is shut down here: libvirt is about to forget it, or it has stopped.
    OFF = 'off'
    #: libvirt has a job on it, or does not say.
    MIGRATES = 'migrates'


def when_over(
    server_id: str,
    look: collections.abc.Callable[[], Guest],
    act: collections.abc.Callable[[Guest], None],
) -> None:
    """Do something when it is known where a guest is.

    Or after some time, if it is not known then. This returns at once:
    nova-compute is being started, for other servers, too.

    :param server_id: UUID of the server.
    :param look: tells where the guest is.
    :param act: is told where it is in the end. It stays if that was seen
        twice, and is shut down if libvirt had the time to forget it.
    """

    def run() -> None:
        try:
            act(_wait(look))
        except Exception:
            LOG.exception(
                'The interrupted migration of server %s could not be ended',
                server_id,
            )

    LOG.warning(
        'Server %s was being migrated when this nova-compute was stopped; '
        'waiting until libvirt says where its guest is',
        server_id,
    )
    threading.Thread(target=run, name=THREAD, daemon=True).start()


def _wait(look: collections.abc.Callable[[], Guest]) -> Guest:
    end = time.monotonic() + _SECONDS
    before = None
    while True:
        guest = look()
        if guest is Guest.LEFT or guest is before is Guest.STAYS:
            return guest
        # One look is not enough, even if it is the last.
        if guest is not Guest.STAYS and time.monotonic() >= end:
            return guest
        before = guest
        time.sleep(_POLL_SECONDS)
