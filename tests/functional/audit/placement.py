# SPDX-License-Identifier: Apache-2.0

"""As much of Placement's API as the audit asks for."""

import collections
import uuid

from cyborg import context as cyborg_context

from nova_cyborg.db.inventory import providers
from nova_cyborg.fixture import nova_api


class Placement:
    """As much of Placement as the audit asks for."""

    def __init__(self):
        self.allocations = {}
        self.nodes = {}
        self.status_code = 200
        self.failure = None
        # Inventories by UUID of the provider, None for one that it does not
        # know; of others, it has what Cyborg has.
        self.inventories = {}
        # How often it was asked for inventories, by UUID of the provider.
        self.asked = collections.Counter()
        self.room = 10
        # Names by UUID, of those with the trait of Cyborg's.
        self.of_cyborg = {}

    def allocate(self, provider, server_id, amount=1):
        self.allocations.setdefault(provider, {})[server_id] = amount

    def get(self, url, version):
        if self.failure:
            raise self.failure
        if '?required=' in url:
            return self._of_cyborg()
        path, _mark, wanted = url.partition('?in_tree=')
        if wanted:
            return nova_api.Response(self.status_code, self._tree(wanted))
        _root, kind, subject, *_more = path.split('/')
        if kind == 'allocations':
            return nova_api.Response(self.status_code, self._of(subject))
        if url.endswith('/inventories'):
            return self._inventories_of(subject)
        if url.endswith('/traits'):
            # No device is tainted here.
            return nova_api.Response(
                self.status_code,
                {'traits': [], 'resource_provider_generation': 7},
            )
        return self._consumers(subject)

    def _inventories_of(self, provider):
        self.asked[provider] += 1
        found = self.inventories.get(provider, self._as_in_cyborg(provider))
        if found is None:
            return nova_api.Response(404, {'errors': []})
        return nova_api.Response(
            self.status_code,
            {'inventories': found, 'resource_provider_generation': 7},
        )

    def _as_in_cyborg(self, provider):
        context = cyborg_context.get_admin_context()
        return {
            each.resource_class: {
                'total': each.total,
                'max_unit': each.total,
                'reserved': each.reserved,
            }
            for each in providers.of_uuids(context, [provider])
        }

    def _of_cyborg(self):
        if not self.of_cyborg:
            return nova_api.Response(400, {'errors': []})
        found = [
            {'uuid': uuid, 'name': name}
            for uuid, name in self.of_cyborg.items()
        ]
        return nova_api.Response(200, {'resource_providers': found})

    def _tree(self, provider):
        if provider not in self.nodes:
            return {'resource_providers': []}
        root = str(uuid.uuid4())
        found = [
            {'uuid': provider, 'name': 'a', 'parent_provider_uuid': root},
            {
                'uuid': root,
                'name': self.nodes[provider],
                'parent_provider_uuid': None,
            },
        ]
        return {'resource_providers': found}

    def _of(self, server_id):
        found = {
            provider: {'resources': {'FPGA': consumers[server_id]}}
            for provider, consumers in self.allocations.items()
            if server_id in consumers
        }
        if not found:
            return {'allocations': {}}
        return {'allocations': found, 'consumer_generation': 3}

    def _consumers(self, provider):
        found = {
            consumer: {'resources': {'FPGA': amount}}
            for consumer, amount in self.allocations.get(provider, {}).items()
        }
        return nova_api.Response(self.status_code, {'allocations': found})

    def put(self, url, body, version):
        if url.endswith('/inventories'):
            assert body['resource_provider_generation'] == 7
            self.inventories[url.split('/')[2]] = body['inventories']
            return nova_api.Response(200, {})
        server_id = url.rpartition('/')[2]
        assert body['consumer_generation'] == 3
        for allocation in body['allocations'].values():
            if allocation['resources']['FPGA'] > self.room:
                error = {'detail': 'There is no room.'}
                return nova_api.Response(409, {'errors': [error]})
        self.delete(url)
        for provider, allocation in body['allocations'].items():
            amount = allocation['resources']['FPGA']
            self.allocate(provider, server_id, amount)
        return nova_api.Response(204, {})

    def post(self, url, body, version):
        assert url == '/allocations'
        for consumer, change in body.items():
            had = self._of(consumer).get('consumer_generation')
            assert change['consumer_generation'] == had
            self.delete(f'/allocations/{consumer}')
            for provider, allocation in change['allocations'].items():
                amount = allocation['resources']['FPGA']
                self.allocate(provider, consumer, amount)
        return nova_api.Response(204, {})

    def delete(self, url):
        provider = url.rpartition('/')[2]
        if self.allocations.get(provider):
            return nova_api.Response(409, {'errors': []})
        self.of_cyborg.pop(provider, None)
        for consumers in self.allocations.values():
            consumers.pop(url.rpartition('/')[2], None)
        return nova_api.Response(204, {})
