# SPDX-License-Identifier: Apache-2.0

"""Telling Placement how many slots of a device can be given, and to whom.

What Cyborg's own rows say is what Placement is to have. It is compared and
written as a whole, and nothing is added to what is there: so it is safe to
repeat, and what went wrong once is right the next time.
"""

import collections.abc
import enum
import http
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception as cyborg_exc
from cyborg.common import placement_client
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg import exception, model
from nova_cyborg.db.inventory import providers
from nova_cyborg.lifecycle import placement

LOG = logging.getLogger(__name__)

# A provider's generation is in its inventories, which are written with it.
_MICROVERSION = '1.26'
_ATTEMPTS = 4
_FAILURES = (
    cyborg_exc.CyborgException,
    ks_exc.ClientException,
    sdk_exc.SDKException,
)
# What it answers where it lacks a provider, and where it lacks a class.
_UNKNOWN = frozenset({http.HTTPStatus.NOT_FOUND, http.HTTPStatus.BAD_REQUEST})


class Untold(enum.Enum):
    """Why Placement has not been told of a resource provider."""

    #: It does not know the provider, or its resource class.
    UNKNOWN = 'unknown'
    #: It could not be reached, or refused.
    FAILED = 'failed'


def publish(
    context: cyborg_context.RequestContext,
    uuids: collections.abc.Iterable[str],
    client: placement_client.PlacementClient | None = None,
) -> dict[str, Untold]:
    """Tell Placement what can be given of resource providers.

    :param uuids: UUIDs of the providers.
    :param client: Cyborg's client of Placement, if there is one already.
    :returns: why it was not told, by UUID, of those of which it was not;
        what failed is logged.
    """
    found = {uuid: _publish_one(context, uuid, client) for uuid in uuids}
    return {uuid: why for uuid, why in found.items() if why}


def _publish_one(
    context: cyborg_context.RequestContext,
    uuid: str,
    client: placement_client.PlacementClient | None,
) -> Untold | None:
    provider = _read(context, uuid)
    for _attempt in range(_ATTEMPTS):
        if provider is None:
            return Untold.UNKNOWN
        try:
            # To make one is to look for Placement, which may fail.
            client = client or placement_client.PlacementClient()
            status = _write(client, provider)
            answer = f'HTTP status {status}'
        except _FAILURES as exc:
            status, answer = None, str(exc)
        if status in _UNKNOWN:
            return Untold.UNKNOWN
        written, provider = provider, _read(context, uuid)
        if status == http.HTTPStatus.OK and provider == written:
            return None
        # It was changed meanwhile, here or in Placement: once more.
    LOG.warning(
        'Placement could not be told what can be given of resource provider '
        '%s; it is told again with the next report of its host: %s',
        uuid,
        answer,
    )
    return Untold.FAILED


def _read(
    context: cyborg_context.RequestContext, uuid: str
) -> providers.Provider | None:
    return next(iter(providers.of_uuids(context, [uuid])), None)


def _write(
    client: placement_client.PlacementClient, provider: providers.Provider
) -> int:
    """Write a provider's inventory and its taints, unless they are there.

    :returns: the HTTP status.
    """
    # The taints first: of a provider that is new, or was lost, nothing is
    # offered before.
    status = _write_taints(client, provider)
    if status != http.HTTPStatus.OK:
        return status
    return _write_inventory(client, provider)


def _write_inventory(
    client: placement_client.PlacementClient, provider: providers.Provider
) -> int:
    url = f'/resource_providers/{provider.uuid}/inventories'
    response = client.get(url, version=_MICROVERSION)
    if response.status_code != http.HTTPStatus.OK:
        return int(response.status_code)
    body: dict[str, ty.Any] = response.json()
    if not differs(provider, body['inventories']):
        return int(response.status_code)
    response = client.put(
        url,
        {
            'resource_provider_generation': body[
                'resource_provider_generation'
            ],
            'inventories': {provider.resource_class: _inventory(provider)},
        },
        version=_MICROVERSION,
    )
    return int(response.status_code)


def differs(
    provider: providers.Provider,
    inventories: collections.abc.Mapping[
        str, collections.abc.Mapping[str, ty.Any]
    ],
) -> bool:
    """Tell whether Placement is to be told of a resource provider.

    :param provider: the provider.
    :param inventories: what Placement has of it, by resource class.
    """
    if inventories.keys() != {provider.resource_class}:
        return True
    there = inventories[provider.resource_class]
    return not _inventory(provider).items() <= there.items()


def _write_taints(
    client: placement_client.PlacementClient, provider: providers.Provider
) -> int:
    """Write which traits of taints a provider has; the others stay."""
    url = f'/resource_providers/{provider.uuid}/traits'
    response = client.get(url, version=_MICROVERSION)
    if response.status_code != http.HTTPStatus.OK:
        return int(response.status_code)
    body: dict[str, ty.Any] = response.json()
    there = frozenset(body['traits'])
    others = {
        name for name in there if not name.startswith(model.TAINT_PREFIX)
    }
    wanted = others.union(map(model.taint_trait, provider.taints))
    if wanted == there:
        return int(response.status_code)
    for name in sorted(wanted - there):
        client.put(f'/traits/{name}', None, version=_MICROVERSION)
    response = client.put(
        url, {**body, 'traits': sorted(wanted)}, version=_MICROVERSION
    )
    return int(response.status_code)


def make_trait(key: str) -> None:
    """Have Placement know the trait of a taint, before it is forbidden.

    :param key: the key of the taint.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    """
    url = f'/traits/{model.taint_trait(key)}'
    try:
        client = placement_client.PlacementClient()
        response = client.put(url, None, version=_MICROVERSION)
    except _FAILURES as exc:
        raise placement.failed(exc) from exc
    if response.status_code >= http.HTTPStatus.BAD_REQUEST:
        raise exception.PlacementFailed(
            reason=f'HTTP status {response.status_code}'
        )


def _inventory(provider: providers.Provider) -> dict[str, int]:
    """Return what Placement is to have of a provider's slots."""
    return {
        'total': provider.total,
        'max_unit': provider.total,
        'reserved': provider.reserved,
    }
