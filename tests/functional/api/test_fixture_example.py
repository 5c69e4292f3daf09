# SPDX-License-Identifier: Apache-2.0

from nova_cyborg.fixture import cyborg  # isort: skip - first

import requests
import testtools
from cyborg.db.sqlalchemy import models

from nova_cyborg import model


class BindingTest(testtools.TestCase):
    """What becomes of a device context when Nova gives it to a server."""

    def setUp(self):
        super().setUp()
        self.cyborg = self.useFixture(cyborg.CyborgFixture())
        self.endpoint = self.cyborg.serve()

    def call(self, method, path, body=None):
        response = requests.request(
            method,
            self.endpoint + path,
            json=body,
            headers={
                'X-Auth-Token': 'alice:project:member,reader',
                # As Nova sends it along with the token of its user.
                'X-Service-Token': 'nova:service:service',
            },
            timeout=60,
        )
        assert response.ok, response.text
        return response.json()

    def test_a_server_is_given_a_device(self):
        provider = self.cyborg.add_device(['0000:0c:00.0', '0000:0c:00.1'])
        context = self.call(
            'POST', '/device_contexts', {'resources': {'FPGA': 1}}
        )
        server_id = self.cyborg.nova.boot()
        allocation = f'/device_allocations/{server_id}'

        held = self.call(
            'PUT',
            allocation,
            {'device_contexts': [context['uuid']], 'caller': server_id},
        )
        group = model.requester_id(context['uuid'], 0)
        with self.cyborg.held_bindings():
            self.call(
                'POST',
                f'{allocation}/bind',
                {
                    'generation': held['generation'],
                    'hostname': 'compute1',
                    'resource_providers': {group: provider},
                },
            )
            assert self.status(context) == 'binding'
        self.cyborg.drain()

        assert self.status(context) == 'bound'
        assert self.cyborg.database.count(models.ExtArq) == 1
        (outcome,) = self.cyborg.nova.outcomes(server_id).values()
        assert outcome == 'completed'

    def status(self, context):
        found = self.call('GET', f'/device_contexts/{context["uuid"]}')
        return found['status']
