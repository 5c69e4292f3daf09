# SPDX-License-Identifier: Apache-2.0

"""As much of Keystone as tells limits, over HTTP."""

import json
import urllib.parse

from nova_cyborg.fixture import http_server

ENDPOINT = 'e' * 32
SERVICE = '5' * 32


class Keystone:
    """A stand-in, by what is registered in it.

    :ivar registered: default limits, by resource.
    :ivar limits: those of projects, by project and resource.
    :ivar model: the enforcement model.
    :ivar status: of all its answers.
    :ivar calls: the paths that it was asked for, with their queries.
    """

    def __init__(self):
        self.registered = {}
        self.limits = {}
        self.model = 'flat'
        self.status = '200 OK'
        self.calls = []
        self._server = http_server.HTTPServer(self)
        self.url = f'{self._server.url}/v3'
        self.stop = self._server.stop

    def asked(self):
        """Return what it was asked for of limits, and forget it."""
        found = [path.partition('?')[0] for path in self.calls]
        self.calls.clear()
        return [path for path in found if 'limits' in path]

    def __call__(self, environ, start_response):
        path, query = environ['PATH_INFO'], environ['QUERY_STRING']
        self.calls.append(f'{path}?{query}')
        content = json.dumps(
            self._answer(path, dict(urllib.parse.parse_qsl(query)))
        ).encode()
        start_response(
            self.status,
            [
                ('Content-Type', 'application/json'),
                ('Content-Length', str(len(content))),
            ],
        )
        return [content]

    def _answer(self, path, query):
        if self.status != '200 OK':
            return {'error': {'message': 'It is not well.'}}
        if path.strip('/') == 'v3':
            link = {'rel': 'self', 'href': f'{self.url}/'}
            found = {'id': 'v3.14', 'status': 'stable', 'links': [link]}
            return {'version': found}
        if path == '/v3/limits/model':
            return {'model': {'name': self.model, 'description': ''}}
        if path == f'/v3/endpoints/{ENDPOINT}':
            found = {'id': ENDPOINT, 'service_id': SERVICE, 'region_id': 'one'}
            return {'endpoint': found}
        # As Keystone does, of no other service and region.
        assert (query['service_id'], query['region_id']) == (SERVICE, 'one')
        if path == '/v3/registered_limits':
            return {'registered_limits': list(self._registered())}
        assert path == '/v3/limits'
        return {'limits': list(self._of_project(query['project_id']))}

    def _registered(self):
        for name, limit in self.registered.items():
            yield {
                'id': f'registered-{name}',
                'service_id': SERVICE,
                'region_id': 'one',
                'resource_name': name,
                'default_limit': limit,
            }

    def _of_project(self, wanted):
        for (project, name), limit in self.limits.items():
            if project == wanted:
                yield {
                    'id': f'{project}-{name}',
                    'project_id': project,
                    'service_id': SERVICE,
                    'region_id': 'one',
                    'resource_name': name,
                    'resource_limit': limit,
                }
