# SPDX-License-Identifier: Apache-2.0

"""As much of Placement as the API tells it."""

from nova_cyborg.fixture import nova_api


class Placement:
    """A stand-in, by what is written to it.

    :ivar inventories: of each provider, by its UUID.
    :ivar traits: of each provider, by its UUID.
    :ivar known: the traits that have been made.
    :ivar status_code: of all its answers.
    :ivar classes: the resource classes that it knows.
    :ivar candidates: the hosts that it names, whatever it is asked for.
    """

    def __init__(self):
        self.inventories = {}
        self.traits = {}
        self.known = set()
        self.status_code = 200
        self.calls = []
        self.classes = {'FPGA', 'VCPU', 'MEMORY_MB', 'DISK_GB'}
        self.candidates = ['host']

    def get(self, url, version):
        self.calls.append(('GET', url))
        if url.startswith('/allocation_candidates?'):
            return self._answer(self._candidates())
        if url == '/resource_classes':
            names = [{'name': name} for name in sorted(self.classes)]
            return self._answer({'resource_classes': names})
        if url == '/traits?associated=true':
            return self._answer(
                {'traits': ['COMPUTE_ACCELERATORS', *sorted(self.known)]}
            )
        _empty, _providers, provider, what = url.split('/')
        generation = {'resource_provider_generation': 1}
        if what == 'traits':
            found = sorted(self.traits.get(provider, ()))
            return self._answer({**generation, 'traits': found})
        found = self.inventories.get(provider, {})
        return self._answer({**generation, 'inventories': found})

    def _candidates(self):
        return {
            'allocation_requests': [
                {'allocations': {host: {}}} for host in self.candidates
            ],
            'provider_summaries': {
                host: {'root_provider_uuid': host} for host in self.candidates
            },
        }

    def put(self, url, body, version):
        self.calls.append(('PUT', url))
        _empty, kind, name, *what = url.split('/')
        if self.status_code != 200:
            return self._answer({})
        if kind == 'traits':
            self.known.add(name)
        elif what == ['traits']:
            assert self.known.issuperset(body['traits'])
            self.traits[name] = set(body['traits'])
        else:
            self.inventories[name] = body['inventories']
        return self._answer({})

    def _answer(self, body):
        return nova_api.Response(self.status_code, body)
