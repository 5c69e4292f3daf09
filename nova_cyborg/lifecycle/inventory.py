# SPDX-License-Identifier: Apache-2.0

"""Telling Placement how many slots of a device can be given.

What Cyborg's own rows say is what Placement is to have. It is compared and
written as a whole, and nothing is added to what is there: so it is safe to
repeat, and what went wrong once is right the next time.
"""

import collections.abc
import logging
import typing as ty

from cyborg.common import exception as cyborg_exc
from cyborg.common import placement_client
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg.db.inventory import providers

LOG = logging.getLogger(__name__)

# A provider's generation is in its inventories, which are written with it.
_MICROVERSION = '1.26'


def publish(
    found: collections.abc.Iterable[providers.Provider],
    client: placement_client.PlacementClient | None = None,
) -> bool:
    """Tell Placement what can be given of resource providers.

    :param found: the providers.
    :param client: Cyborg's client of Placement, if there is one already.
    :returns: whether Placement has it now; what failed is logged.
    """
    failed = [each for each in found if not _publish_one(each, client)]
    return not failed


def _publish_one(
    provider: providers.Provider,
    client: placement_client.PlacementClient | None,
) -> bool:
    try:
        # To make one is to look for Placement, which may fail.
        client = client or placement_client.PlacementClient()
        answer = _written(client, provider)
    except (
        cyborg_exc.CyborgException,
        ks_exc.ClientException,
        sdk_exc.SDKException,
    ) as exc:
        answer = str(exc)
    if answer:
        LOG.warning(
            'Placement could not be told that %d of %d slots of resource '
            'provider %s are not to be given; the next report of its host '
            'does: %s',
            provider.reserved,
            provider.total,
            provider.uuid,
            answer,
        )
    return not answer


def _written(
    client: placement_client.PlacementClient, provider: providers.Provider
) -> str:
    """Write a provider's inventory, unless it is there; return what failed."""
    url = f'/resource_providers/{provider.uuid}/inventories'
    response = client.get(url, version=_MICROVERSION)
    if response.status_code == 404:
        # Gone with its device; there is nothing that could be given.
        return ''
    if response.status_code != 200:
        return f'HTTP status {response.status_code}'
    body: dict[str, ty.Any] = response.json()
    there = body['inventories'].get(provider.resource_class, {})
    wanted = inventory(provider)
    if wanted.items() <= there.items():
        return ''
    response = client.put(
        url,
        {
            'resource_provider_generation': body[
                'resource_provider_generation'
            ],
            'inventories': {provider.resource_class: wanted},
        },
        version=_MICROVERSION,
    )
    if response.status_code == 200:
        return ''
    return f'HTTP status {response.status_code}'


def inventory(provider: providers.Provider) -> dict[str, int]:
    """Return what Placement is to have of a provider's slots.

    :param provider: the provider.
    :returns: the fields of its inventory.
    """
    return {
        'total': provider.total,
        'max_unit': provider.total,
        'reserved': provider.reserved,
    }
