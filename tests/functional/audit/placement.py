# SPDX-License-Identifier: Apache-2.0

"""As much of Placement's API as the audit asks for."""

import uuid

from nova_cyborg.fixture import nova_api


class Placement:
    """As much of Placement as the audit asks for."""

    def __init__(self):
        self.allocations = {}
        self.nodes = {}
        self.status_code = 200
        self.failure = None
        self.classes = ['FPGA']
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
            found = {name: {} for name in self.classes}
            return nova_api.Response(self.status_code, {'inventories': found})
        return self._consumers(subject)

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

    def delete(self, url):
        provider = url.rpartition('/')[2]
        if self.allocations.get(provider):
            return nova_api.Response(409, {'errors': []})
        self.of_cyborg.pop(provider, None)
        for consumers in self.allocations.values():
            consumers.pop(url.rpartition('/')[2], None)
        return nova_api.Response(204, {})
