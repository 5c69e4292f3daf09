# SPDX-License-Identifier: Apache-2.0

"""As much of Placement as the API tells it."""

import microversion_parse
import os_resource_classes
import os_traits
import webob
from placement import lib, microversion, util
from placement.schemas import allocation_candidate as schema

from nova_cyborg.fixture import nova_api

# What a database takes as a number.
_LARGEST = 2**63 - 1


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
            status = self._read(url, version)
            if status != 200 and self.status_code == 200:
                return nova_api.Response(status, {})
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

    def _read(self, url, version):
        """Read what is asked for as Placement does.

        :returns: the status of its answer.
        """
        request = webob.Request.blank(url)
        asked_in = microversion_parse.parse_version_string(version)
        asked_in.max_version = asked_in
        request.environ[microversion.MICROVERSION_ENVIRON] = asked_in
        try:
            util.validate_query_params(request, schema.GET_SCHEMA_1_36)
            wide = lib.RequestWideParams.from_request(request)
            groups = lib.RequestGroup.dict_from_request(request, wide)
        except webob.exc.HTTPBadRequest:
            return 400
        amounts = [
            pair for each in groups.values() for pair in each.resources.items()
        ]
        classes = {*os_resource_classes.STANDARDS, *self.classes}
        traits = set().union(
            wide.anchor_required_traits or (),
            wide.anchor_forbidden_traits or (),
            *(each.forbidden_traits for each in groups.values()),
            *(
                any_of
                for each in groups.values()
                for any_of in each.required_traits
            ),
        )
        known = {*os_traits.get_traits(), *self.known}
        if not (classes.issuperset(dict(amounts)) and traits <= known):
            return 400
        numbered = [each for each in groups.values() if each.use_same_provider]
        if len(numbered) > 1 and not wide.group_policy:
            return 400
        return 200 if all(n <= _LARGEST for _name, n in amounts) else 500

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
