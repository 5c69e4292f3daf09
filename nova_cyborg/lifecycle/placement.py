# SPDX-License-Identifier: Apache-2.0

"""What Placement says of devices, and forgetting and mending allocations."""

from __future__ import annotations

import collections.abc
import contextlib
import math
import time
import typing as ty

import os_traits
import requests
from cyborg.common import exception as cyborg_exc
from cyborg.common import placement_client
from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg import exception, model

# What reaching it may raise.
_FAILURES = (
    cyborg_exc.PlacementServerError,
    ks_exc.ClientException,
    sdk_exc.SDKException,
)
# The first in which allocations have a generation.
_MICROVERSION = '1.28'
# That of Nova's scheduler.
_OF_CANDIDATES = '1.36'
# Seconds that one answer is waited for, unless [placement] timeout says so.
_PATIENCE = 10


class Placement:
    """Placement, as Cyborg's services reach it.

    :param seconds: for how long it is asked, in all, where a user waits: after
        that, nothing more is asked, and the last answer is waited for. None
        for as long as it takes.
    :raises PlacementFailed: if it cannot be reached, or refuses. An answer
        may be that there is no such thing.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._until = math.inf
        if seconds is not None:
            self._until = time.monotonic() + seconds
        # Cyborg would wait for ever, for Keystone, too.
        CONF.set_default('timeout', _PATIENCE, group='placement')
        with _failing():
            self._client = placement_client.PlacementClient()

    def consumers(self, provider: str) -> dict[str, dict[str, int]]:
        """Find who has allocations of a resource provider.

        :param provider: UUID of the resource provider.
        :returns: how many units, by resource class, by UUID of the consumer,
            as of a server.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        found = self._get(f'/resource_providers/{provider}/allocations')
        return {
            consumer: allocation['resources']
            for consumer, allocation in found.get('allocations', {}).items()
        }

    def providers_of(self, consumer: str) -> list[str]:
        """Find the resource providers that a consumer has allocations of.

        :param consumer: its UUID.
        :returns: UUIDs of the resource providers.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        return list(
            self._get(f'/allocations/{consumer}').get('allocations', ())
        )

    def of_cyborg(self) -> dict[str, str]:
        """Find the resource providers that say that they are Cyborg's.

        :returns: their names, by UUID.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        with _failing():
            response = self._client.get(
                f'/resource_providers?required={os_traits.OWNER_CYBORG}',
                version=_MICROVERSION,
            )
        if response.status_code == 400:
            # No provider has the trait, if Placement does not know it.
            return {}
        _check(response)
        found: dict[str, ty.Any] = response.json()
        return {
            provider['uuid']: provider['name']
            for provider in found['resource_providers']
        }

    def resource_classes(self) -> frozenset[str]:
        """Find the names of all resource classes.

        :returns: the names.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        found = self._get('/resource_classes')['resource_classes']
        return frozenset(each['name'] for each in found)

    def offered_traits(self) -> frozenset[str]:
        """Find the traits that some resource provider has.

        :returns: their names.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        return frozenset(self._get('/traits?associated=true')['traits'])

    def hosts(self, query: str) -> list[str]:
        """Find the hosts that have what a request asks for.

        :param query: the request, as Nova's scheduler makes it.
        :returns: UUIDs of their resource providers, one for each candidate.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        found = self._get(f'/allocation_candidates?{query}', _OF_CANDIDATES)
        roots = found['provider_summaries']
        return [
            roots[next(iter(each['allocations']))]['root_provider_uuid']
            for each in found['allocation_requests']
        ]

    def inventories(self, provider: str) -> dict[str, dict[str, int]] | None:
        """Find what a resource provider has.

        :param provider: its UUID.
        :returns: its inventories, by resource class; None if there is no such
            provider.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        found = self._get(f'/resource_providers/{provider}/inventories')
        inventories: dict[str, dict[str, int]] | None = found.get(
            'inventories'
        )
        return inventories

    def traits(self, provider: str) -> frozenset[str]:
        """Find the traits of a resource provider.

        :param provider: its UUID.
        :returns: their names; none if there is no such provider.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        found = self._get(f'/resource_providers/{provider}/traits')
        return frozenset(found.get('traits', ()))

    def remove_provider(self, provider: str) -> None:
        """Delete a resource provider; safe to repeat.

        :param provider: UUID of the resource provider.
        :raises PlacementFailed: if something is allocated there, or
            Placement does not answer, or refuses.
        """
        with _failing():
            response = self._client.delete(f'/resource_providers/{provider}')
        _check(response)

    def forget(self, server_id: str) -> None:
        """Delete all allocations of a server; safe to repeat.

        :param server_id: UUID of the server.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        with _failing():
            response = self._client.delete(f'/allocations/{server_id}')
        _check(response)

    def allocate(
        self,
        provider: str,
        server_id: str,
        amount: int,
        is_wanting: collections.abc.Callable[[], bool],
    ) -> bool:
        """Have a server's allocations say that it has devices.

        :param provider: UUID of the devices' resource provider.
        :param server_id: UUID of the server.
        :param amount: how many units it has there.
        :param is_wanting: whether these allocations are what says so. Asked
            once they are read: what Nova changes after that is a change that
            came in between.
        :returns: whether they are.
        :raises NothingAllocated: if it has no allocations at all.
        :raises AllocationRefused: if there is no room, or another change
            came in between.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        body = self._get(f'/allocations/{server_id}')
        if not body.get('allocations'):
            # Whose it is, and what else it has, is Nova's to say.
            raise exception.NothingAllocated(server_id=server_id)
        if not is_wanting():
            return False
        classes = list(self.inventories(provider) or {})
        if len(classes) != 1:
            raise exception.AllocationRefused(
                server_id=server_id,
                provider=provider,
                reason=f'it has {len(classes)} resource classes',
            )
        body['allocations'][provider] = {'resources': {classes[0]: amount}}
        self._put(provider, server_id, body)
        return True

    def lower(
        self,
        server_id: str,
        wanted: collections.abc.Callable[[model.Amounts], model.Amounts],
    ) -> bool:
        """Have a server's allocations say no more than that it has.

        :param server_id: UUID of the server.
        :param wanted: returns what there is to be in place of what there is;
            the same if nothing is to be changed. Asked once the allocations
            are read: what Nova changes after that is a change that came in
            between.
        :returns: whether something is changed.
        :raises AllocationRefused: if another change came in between.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        body = self._get(f'/allocations/{server_id}')
        before = _resources(body)
        after = wanted(before)
        if after == before:
            return False
        body['allocations'] = {
            provider: {'resources': resources}
            for provider, resources in after.items()
        }
        self._put(', '.join(sorted(before)), server_id, body)
        return True

    def allocations(self, consumer: str) -> dict[str, dict[str, int]]:
        """Find what is allocated to a consumer.

        :param consumer: its UUID.
        :returns: amounts by resource class, by UUID of the provider.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        return _resources(self._get(f'/allocations/{consumer}'))

    def forget_on_host(
        self,
        provider: str,
        server_id: str,
        is_unused: collections.abc.Callable[[], bool],
    ) -> None:
        """Forget a server's allocations of one host; safe to repeat.

        :param provider: UUID of any resource provider of the host.
        :param server_id: UUID of the server.
        :param is_unused: whether the server is elsewhere, and on its way to
            nowhere. Asked once the allocations are read: what Nova changes
            after that is a change that came in between.
        :raises AllocationRefused: if another change came in between.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        body = self._get(f'/allocations/{server_id}')
        on_host = {each['uuid'] for each in self._tree(provider)}
        if on_host.isdisjoint(body.get('allocations', {})):
            return
        if not is_unused():
            return
        body['allocations'] = {
            each: allocation
            for each, allocation in body['allocations'].items()
            if each not in on_host
        }
        self._put(provider, server_id, body)

    def end_move(
        self,
        provider: str,
        migration_id: str,
        server_id: str,
        is_over: collections.abc.Callable[[], bool],
        came_back: bool,
    ) -> None:
        """Forget the allocations of a migration; safe to repeat.

        A server that stayed where it was has them, in the place of its own,
        unless it has its processors and memory there. Of devices alone it
        may have some there for another reason.

        :param provider: UUID of a resource provider of them.
        :param migration_id: UUID of the migration.
        :param server_id: UUID of its server.
        :param is_over: whether nothing is being done with the server. Asked
            once the allocations are read.
        :param came_back: whether the server is on the host of the provider.
        :raises AllocationRefused: if another change came in between.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        left = self._get(f'/allocations/{migration_id}')
        own = self._get(f'/allocations/{server_id}')
        if not left.get('allocations') or not is_over():
            return
        tree = self._tree(provider)
        on_host = {each['uuid'] for each in tree}
        # A flavor may ask for nothing of the host but devices.
        telling = {
            each['uuid']
            for each in tree
            if each['parent_provider_uuid'] is None
        }.intersection(left['allocations']) or on_host
        body = {migration_id: {**left, 'allocations': {}}}
        if came_back and telling.isdisjoint(own.get('allocations', {})):
            body[server_id] = {
                **left,
                'allocations': left['allocations'],
                'consumer_generation': own.get('consumer_generation'),
            }
        with _failing():
            response = self._client.post(
                '/allocations', body, version=_MICROVERSION
            )
        self._check_change(response, provider, server_id)

    def node(self, provider: str) -> str | None:
        """Find out which compute node a resource provider is of.

        :param provider: UUID of the resource provider.
        :returns: the node's name; None if there is no such provider.
        :raises PlacementFailed: if Placement does not answer, or refuses.
        """
        for each in self._tree(provider):
            if each['parent_provider_uuid'] is None:
                name: str = each['name']
                return name
        return None

    def _tree(self, provider: str) -> list[dict[str, ty.Any]]:
        found = self._get(f'/resource_providers?in_tree={provider}')
        tree: list[dict[str, ty.Any]] = found.get('resource_providers', [])
        return tree

    def _put(
        self, provider: str, server_id: str, body: dict[str, ty.Any]
    ) -> None:
        with _failing():
            response = self._client.put(
                f'/allocations/{server_id}', body, version=_MICROVERSION
            )
        self._check_change(response, provider, server_id)

    @staticmethod
    def _check_change(
        response: requests.Response, provider: str, server_id: str
    ) -> None:
        if response.status_code == 409:
            raise exception.AllocationRefused(
                server_id=server_id,
                provider=provider,
                reason=response.json()['errors'][0]['detail'],
            )
        _check(response)

    def _get(
        self, path: str, version: str = _MICROVERSION
    ) -> dict[str, ty.Any]:
        if time.monotonic() > self._until:
            raise exception.PlacementFailed(reason='it is too slow')
        with _failing():
            response = self._client.get(path, version=version)
        _check(response)
        if response.status_code == 404:
            return {}
        found: dict[str, ty.Any] = response.json()
        return found


def _resources(body: dict[str, ty.Any]) -> dict[str, dict[str, int]]:
    return {
        provider: allocation['resources']
        for provider, allocation in body.get('allocations', {}).items()
    }


def _check(response: requests.Response) -> None:
    if response.status_code >= 400 and response.status_code != 404:
        raise exception.PlacementFailed(
            reason=f'HTTP status {response.status_code}'
        )


@contextlib.contextmanager
def _failing() -> collections.abc.Iterator[None]:
    try:
        yield
    except _FAILURES as exc:
        raise failed(exc) from exc


def failed(cause: Exception) -> exception.PlacementFailed:
    """Say that Placement does not answer, without what is not for projects.

    :param cause: what was raised; its own words have URLs in them, and are for
        the log.
    :returns: what to raise from it.
    """
    reason = f'it could not be reached ({type(cause).__name__})'
    if isinstance(cause, ks_exc.ConnectionError):
        reason = 'it does not answer'
    return exception.PlacementFailed(reason=reason)
