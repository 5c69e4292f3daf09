# SPDX-License-Identifier: Apache-2.0

"""What a nova-compute can do with servers that have device contexts.

A trait of its node tells it to Nova's scheduler. Placement keeps a trait that
a nova-compute has set until somebody takes it away, which one that is killed,
and started again without the plugin, does not do. So a nova-compute says it in
Nova's record of its node as well, which each nova-compute writes anew when it
starts, and a stock one writes without it.
"""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

from keystoneauth1 import exceptions as ks_exc
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects

from nova_cyborg.nova import features

LOG = logging.getLogger(__name__)

#: Of the root provider of a node that servers can be moved to.
TRAIT = 'CUSTOM_NOVA_CYBORG_MOVE'
# In the statistics of a node, which Nova keeps as its driver gives them.
_KEY = 'nova_cyborg_features'
# The first of Placement's in which traits are set.
_MICROVERSION = '1.6'


def describe(resources: collections.abc.MutableMapping[str, ty.Any]) -> None:
    """Say in the record of a node what its nova-compute can do.

    :param resources: what the driver tells of the node; changed in place.
    """
    stats = dict(resources.get('stats') or {})
    resources['stats'] = {**stats, _KEY: ','.join(features.ALL)}


def can(
    context: nova_context.RequestContext,
    host: str | None,
    node: str | None,
    feature: str,
) -> bool:
    """Tell whether a nova-compute can do something.

    :param context: a context that targets its cell.
    :param host: its host; None if the server has none.
    :param node: the name of its node.
    :param feature: what is to be done.
    :returns: whether it says that it can.
    """
    try:
        found = objects.ComputeNode.get_by_host_and_nodename(
            context, host, node
        )
    except nova_exception.ComputeHostNotFound:
        return False
    return feature in said(found)


def said(node: objects.ComputeNode) -> set[str]:
    """Return what the record of a node says that its nova-compute can do.

    :param node: the record.
    :returns: the features; empty if it has no plugin, or an early one.
    """
    stats = node.stats if 'stats' in node else None
    return set(((stats or {}).get(_KEY) or '').split(','))


def require(request_spec: objects.RequestSpec) -> None:
    """Have a server moved only to a host whose nova-compute can take it.

    :param request_spec: the server's request; changed in place. Nova does
        not store it.
    """
    request_spec.root_required.add(TRAIT)


def check(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    selection: objects.Selection,
    feature: str = features.MOVE,
) -> None:
    """Check that a nova-compute can take the server that is to come to it.

    Placement may have the trait of one that was killed, and was started again
    without the plugin: it is taken away then.

    :param report_client: Nova's client of Placement.
    :param context: a context that targets its cell.
    :param selection: what the scheduler has chosen.
    :param feature: what is to be done.
    :raises NoValidHost: if it cannot.
    """
    host, node = selection.service_host, selection.nodename
    if can(context, host, node, feature):
        return
    withdraw(report_client, context, selection.compute_node_uuid)
    raise nova_exception.NoValidHost(
        reason=f'nova-compute of {host} has no plugin for device contexts any '
        'more. Try again.'
    )


def withdraw(
    report_client: ty.Any, context: nova_context.RequestContext, node_id: str
) -> None:
    """Have no server moved to a host: its nova-compute stops, or cannot.

    :param report_client: Nova's client of Placement.
    :param context: the context.
    :param node_id: UUID of the compute node.
    """
    try:
        found = report_client.get_provider_traits(context, node_id)
        if TRAIT not in found.traits:
            return
        # Not set_traits_for_provider: it believes what this process remembers
        # of the node.
        answer = report_client.put(
            f'/resource_providers/{node_id}/traits',
            {
                'resource_provider_generation': found.generation,
                'traits': sorted(found.traits - {TRAIT}),
            },
            version=_MICROVERSION,
            global_request_id=context.global_id,
        )
        problem = '' if answer else f'HTTP status {answer.status_code}'
    except (
        nova_exception.ResourceProviderTraitRetrievalFailed,
        ks_exc.ClientException,
    ) as exc:
        problem = str(exc)
    if problem:
        LOG.info('Node %s keeps the trait %s: %s', node_id, TRAIT, problem)
