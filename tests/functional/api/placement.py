# SPDX-License-Identifier: Apache-2.0

"""As much of Placement as the API tells it."""

from nova_cyborg.fixture import nova_api


class Placement:
    """A stand-in, by what is written to it.

    :ivar inventories: of each provider, by its UUID.
    :ivar traits: of each provider, by its UUID.
    :ivar known: the traits that have been made.
    :ivar status_code: of all its answers.
    """

    def __init__(self):
        self.inventories = {}
        self.traits = {}
        self.known = set()
        self.status_code = 200
        self.calls = []

    def get(self, url, version):
        self.calls.append(('GET', url))
        _empty, _providers, provider, what = url.split('/')
        generation = {'resource_provider_generation': 1}
        if what == 'traits':
            found = sorted(self.traits.get(provider, ()))
            return self._answer({**generation, 'traits': found})
        found = self.inventories.get(provider, {})
        return self._answer({**generation, 'inventories': found})

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
