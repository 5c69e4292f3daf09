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

    #: It is here, and is not migrated any more.
    STAYS = 'stays'
    #: libvirt does not know it any more: it is at the destination.
    LEFT = 'left'
    #: It is shut down here: libvirt is about to forget it, or it has stopped.
    OFF = 'off'
    #: libvirt has a job on it, or does not say.
    MIGRATES = 'migrates'


def is_over(guest: Guest) -> bool:
    """Tell whether it is known what has become of a guest.

    :param guest: where it is.
    """
    return guest in (Guest.STAYS, Guest.LEFT)


def when_over(
    server_id: str,
    look: collections.abc.Callable[[], Guest],
    act: collections.abc.Callable[[Guest], None],
) -> None:
    """Do something when libvirt does not migrate a guest any more.

    Or after some time, if it still does then. This returns at once:
    nova-compute is being started, for other servers, too.

    :param server_id: UUID of the server.
    :param look: tells where the guest is.
    :param act: is told where it is in the end.
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
        'libvirt still migrates server %s, which was begun before this '
        'nova-compute was started; waiting for the end',
        server_id,
    )
    threading.Thread(target=run, name=THREAD, daemon=True).start()


def _wait(look: collections.abc.Callable[[], Guest]) -> Guest:
    end = time.monotonic() + _SECONDS
    while not is_over(guest := look()) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    # Had it left, libvirt would have forgotten it by now.
    return Guest.STAYS if guest is Guest.OFF else guest
