# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: it says, when it is asked, that the plugin is in it.

A conductor without the plugin builds servers without their device contexts,
so an operator must be able to find it. Nova's records do not tell: a service
reports its host, binary and version, and nothing of what is loaded. A mark
that conductors leave somewhere would cost a call or a row, would have to be
aged, and could not tell a conductor without the plugin from one that has not
been of use yet. So ``nova-cyborg-status`` asks: Nova's own records name the
conductors, each of them serves its host's queue, and one that has the plugin
answers there to a namespace of ours. A stock one says that it does not know
it. No request of a server passes here, so none gets slower.
"""

from __future__ import annotations

import importlib.metadata
import typing as ty

import oslo_messaging as messaging
from nova import conf, context, rpc
from nova.conductor import rpcapi

from nova_cyborg.nova import features

CONF = conf.CONF

_NAMESPACE = 'nova_cyborg'
_VERSION = '1.0'
#: Conductors that need each other's values: one server can meet several.
SHARED_OPTIONS = (
    'conductor_hooks',
    'max_groups_per_server',
    'max_accelerators_per_server',
    'max_device_combinations',
    'placement_prunes',
)


class Presence:
    """An RPC endpoint of nova-conductor; public methods can be called."""

    target = messaging.Target(namespace=_NAMESPACE, version=_VERSION)

    def describe(self, _context: context.RequestContext) -> dict[str, ty.Any]:
        """Tell the release of nova_cyborg, and what it is told to do.

        :returns: what :func:`ask` returns.
        """
        return {
            'release': importlib.metadata.version('nova-cyborg'),
            'options': {
                name: getattr(CONF.nova_cyborg, name)
                for name in SHARED_OPTIONS
            },
            'features': list(features.ALL),
        }


def ask(
    transport: messaging.transport.Transport, host: str, seconds: int
) -> dict[str, ty.Any] | None:
    """Ask a nova-conductor for the plugin.

    :param transport: the message bus of its cell.
    :param host: the host it is known by.
    :param seconds: how long to wait for the answer.
    :returns: ``release``, ``options``, and ``features`` unless it is of a
        release that has none; None if it has not the plugin.
    :raises MessagingException: if there is no answer.
    """
    client = messaging.get_rpc_client(
        transport,
        messaging.Target(
            topic=rpcapi.RPC_TOPIC, namespace=_NAMESPACE, version=_VERSION
        ),
        serializer=rpc.RequestContextSerializer(None),
    )
    conductor = client.prepare(server=host, timeout=seconds, retry=1)
    try:
        return ty.cast(
            dict[str, ty.Any],
            conductor.call(context.get_admin_context(), 'describe'),
        )
    except messaging.UnsupportedVersion:
        return None
    except messaging.RemoteError as exc:
        # As it comes through a broker.
        if exc.exc_type == messaging.UnsupportedVersion.__name__:
            return None
        raise
