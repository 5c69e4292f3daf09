# SPDX-License-Identifier: Apache-2.0

"""What a cloud says of itself."""

import collections
import collections.abc
import typing as ty

from keystoneauth1 import adapter

from tools.cloud import exception
from tools.cloud.model import credentials

_VERSIONS = {
    # Flavors show their extra specs from here on.
    'compute': '2.61',
    # Resource providers show which one they are part of.
    'placement': '1.14',
}


class Facts:
    """Asks a cloud's APIs.

    :param environment: the variables with which an administrator logs in.
    """

    def __init__(self, environment: collections.abc.Mapping[str, str]) -> None:
        self._session = credentials.log_in(environment)

    def _get(self, service_type: str, path: str) -> ty.Any:
        api = adapter.Adapter(
            self._session,
            service_type=service_type,
            default_microversion=_VERSIONS.get(service_type),
        )
        return api.get(path).json()

    def service_types(self) -> set[str]:
        """Return the types of the services in Keystone's catalog."""
        auth: ty.Any = self._session.auth
        catalog = auth.get_access(self._session).service_catalog
        return set(catalog.get_endpoints())

    def images(self) -> list[str]:
        """Return the UUIDs of the public images for any host, oldest first.

        :returns: at least one.
        :raises StepFailed: if there is none.
        """
        query = 'visibility=public&status=active&sort=created_at:asc'
        found = self._get('image', f'/v2/images?{query}')['images']
        plain = [each for each in found if not _requires(each)]
        return self._needed('public image', [each['id'] for each in plain])

    def flavors(self) -> list[str]:
        """Return the ids of the plain flavors, smallest first.

        :returns: at least one.
        :raises StepFailed: if there is none.
        """
        found = self._get('compute', '/flavors/detail')['flavors']
        plain = [each for each in found if not each['extra_specs']]
        plain.sort(key=lambda each: (each['ram'], each['vcpus'], each['disk']))
        return self._needed('flavor', [each['id'] for each in plain])

    def hosts(self) -> int:
        """Return how many compute hosts are up that take any server."""
        found = self._get('compute', '/os-services?binary=nova-compute')
        aggregates = self._get('compute', '/os-aggregates')['aggregates']
        apart = {
            host
            for each in aggregates
            if _requires(each['metadata'])
            for host in each['hosts']
        }
        up = {
            each['host'] for each in found['services'] if each['state'] == 'up'
        }
        return len(up - apart)

    def shared_networks(self) -> list[str]:
        """Return the names of the networks that all projects can use."""
        found = self._get('network', '/v2.0/networks?shared=true')
        return [each['name'] for each in found['networks']]

    def accelerators(self) -> dict[str, list[int]]:
        """Return how many accelerators there are on the cloud's devices.

        :returns: the number on each device, by resource class.
        """
        found = self._get('accelerator', '/deployables')['deployables']
        numbers = collections.defaultdict(list)
        for provider_id in sorted({each['rp_uuid'] for each in found}):
            path = f'/resource_providers/{provider_id}/inventories'
            inventories = self._get('placement', path)['inventories']
            for resource_class, inventory in inventories.items():
                numbers[resource_class].append(int(inventory['total']))
        return dict(numbers)

    def hosts_with(self, resource_class: str) -> list[str]:
        """Return the hosts that have free accelerators of a class.

        :param resource_class: the class.
        :returns: the hosts' names, that with the most accelerators first.
        """
        query = f'resources={resource_class}:1'
        found = self._get('placement', f'/resource_providers?{query}')
        numbers: collections.Counter[str] = collections.Counter()
        for provider in found['resource_providers']:
            path = f'/resource_providers/{provider["uuid"]}/inventories'
            inventories = self._get('placement', path)['inventories']
            path = f'/resource_providers/{provider["root_provider_uuid"]}'
            host = self._get('placement', path)['name']
            numbers[host] += int(inventories[resource_class]['total'])
        return [host for host, _number in numbers.most_common()]

    def _needed(self, what: str, found: list[str]) -> list[str]:
        if not found:
            raise exception.StepFailed(
                f'The cloud has no {what}. Make one, and try again.'
            )
        return found


def _requires(properties: collections.abc.Mapping[str, ty.Any]) -> bool:
    """Tell whether an image or an aggregate requires a trait."""
    return any(name.startswith('trait:') for name in properties)
