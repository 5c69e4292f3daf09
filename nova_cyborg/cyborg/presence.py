# SPDX-License-Identifier: Apache-2.0

"""cyborg-agent and cyborg-conductor: they say that the plugin is in them.

Cyborg records no services, and a report of devices tells nothing of what the
agent has loaded. So ``nova-cyborg-status`` asks: each agent has a queue of
its host's name, and all conductors have one together. A stock service says
that it does not know the question.
"""

from __future__ import annotations

import importlib.metadata
import typing as ty

import oslo_messaging as messaging
from cyborg import context as cyborg_context
from cyborg.common import rpc

_METHOD = 'describe_plugin'
_VERSION = '1.0'
# As it comes through a broker.
_UNKNOWN = messaging.NoSuchMethod.__name__


class Presence:
    """What the managers of both services have besides their own.

    :ivar host: the host that the service is known by.
    """

    host: str

    def describe_plugin(
        self, context: cyborg_context.RequestContext
    ) -> dict[str, ty.Any]:
        """Tell the release of nova_cyborg, and the host of the service.

        :returns: what :func:`ask` returns.
        """
        return {
            'release': importlib.metadata.version('nova-cyborg'),
            'host': self.host,
        }


def ask(
    transport: messaging.transport.Transport,
    topic: str,
    host: str | None,
    seconds: int,
) -> dict[str, ty.Any] | None:
    """Ask a service of Cyborg's for the plugin.

    :param transport: Cyborg's message bus.
    :param topic: the service's topic.
    :param host: the host it is known by; any one of the topic's if None.
    :param seconds: how long to wait for the answer.
    :returns: ``release`` and ``host``; None if it has not the plugin.
    :raises MessagingException: if there is no answer.
    """
    client = messaging.get_rpc_client(
        transport,
        messaging.Target(topic=topic, version=_VERSION),
        serializer=rpc.RequestContextSerializer(None),
    )
    service = client.prepare(server=host, timeout=seconds, retry=1)
    context = cyborg_context.get_admin_context()
    try:
        return ty.cast(dict[str, ty.Any], service.call(context, _METHOD))
    except messaging.NoSuchMethod:
        return None
    except messaging.RemoteError as exc:
        if exc.exc_type == _UNKNOWN:
            return None
        raise
