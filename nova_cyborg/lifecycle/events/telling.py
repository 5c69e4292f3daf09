# SPDX-License-Identifier: Apache-2.0

"""Who is told of events in a service."""

from cyborg.conf import CONF

from nova_cyborg.db.events import recording
from nova_cyborg.lifecycle.events import counting, sending


def start(service: str) -> None:
    """Have events of this process sent and counted, as the options say.

    :param service: the service that it is of.
    """
    options = CONF.nova_cyborg
    topics = options.versioned_notifications_topics
    recording.subscribe(
        'notifications',
        sending.Sender(service, CONF.host, topics) if topics else None,
    )
    counting.start(options.metrics_interval)
