# SPDX-License-Identifier: Apache-2.0

"""A conductor of Cyborg and a Placement, both real, in this process.

Left out are only the sockets: agent and conductor talk through the RPC
serializer, conductor and Placement through wsgi-intercept.
"""

import dataclasses
import json
import uuid
from unittest import mock

# As Cyborg's commands do: before release 16, it makes the threads green.
import cyborg.cmd  # isort: skip # noqa: F401

import pytest
import requests
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.accelerator.common import utils
from cyborg.agent import rpcapi as agent_rpcapi
from cyborg.common import config as cyborg_config
from cyborg.common import rpc
from cyborg.conductor import manager as stock_manager
from cyborg.conf import CONF
from cyborg.db.sqlalchemy import api as db_api
from cyborg.db.sqlalchemy import models
from cyborg.objects import attach_handle, ext_arq
from cyborg.objects import base as objects_base
from cyborg.objects.driver_objects import driver_attach_handle
from cyborg.objects.extarq import ext_arq_job
from keystoneauth1 import loading as ks_loading
from oslo_config import fixture as config_fixture
from oslo_messaging import conffixture as messaging_fixture
from oslo_utils import fixture as time_fixture
from placement.tests.functional.fixtures import placement

from nova_cyborg.cyborg.agent import devices, driver
from nova_cyborg.cyborg.conductor import manager
from nova_cyborg.fixture import database, devices_file
from nova_cyborg.lifecycle import unbind
from tests.functional import databases

HOST = 'compute1'

_NAMES = uuid.uuid4()


def consumer(server):
    """Return the UUID of a server, which may be given by a name."""
    return server if len(server) == 36 else str(uuid.uuid5(_NAMES, server))


@dataclasses.dataclass
class Cloud:
    """One host's agent, the conductor and Placement."""

    conductor: stock_manager.ConductorManager
    context: cyborg_context.RequestContext
    endpoint: str
    engine: sa.Engine
    devices_file: devices_file.DevicesFileFixture

    def report(self, file_driver):
        """Do what the agent's periodic task does, RPC's JSON included."""
        serializer = objects_base.CyborgObjectSerializer()
        sent = json.dumps(
            serializer.serialize_entity(self.context, file_driver.discover())
        )
        received = serializer.deserialize_entity(
            self.context, json.loads(sent)
        )
        self.conductor.report_data(self.context, HOST, received)

    def another(self):
        """Return the same cloud, with another conductor."""
        conductor = stock_manager.ConductorManager('cyborg-conductor', 'other')
        return dataclasses.replace(self, conductor=conductor)

    def start(self, *entries):
        """Write the devices file, start an agent, let it report once."""
        self.devices_file.write(*entries)
        file_driver = driver.FileDriver()
        self.report(file_driver)
        return file_driver

    def placement(self, path, method='GET', body=None):
        """Ask Placement."""
        response = requests.request(
            method,
            self.endpoint + path,
            json=body,
            headers={
                'X-Auth-Token': 'admin',
                'OpenStack-API-Version': 'placement 1.36',
            },
            timeout=10,
        )
        assert response.ok, response.text
        return response.json() if response.content else None

    def provider(self, address):
        """Return the inventories and traits of a device; None without."""
        name = f'{HOST}_{address}'
        found = self.placement(f'/resource_providers?name={name}')
        if not found['resource_providers']:
            return None
        (item,) = found['resource_providers']
        base = f'/resource_providers/{item["uuid"]}'
        inventories = self.placement(f'{base}/inventories')['inventories']
        return (
            {name: value['total'] for name, value in inventories.items()},
            set(self.placement(f'{base}/traits')['traits']),
        )

    def provider_id(self, address):
        """Return the UUID of a device's resource provider.

        Cyborg makes it of the name, and records it when Placement has it.
        """
        return str(uuid.uuid3(uuid.NAMESPACE_DNS, f'{HOST}_{address}'))

    def deployable(self, address):
        """Return Cyborg's record of a device; None without."""
        return objects.Deployable.get_by_name(
            self.context, f'{HOST}_{address}'
        )

    def handles(self, address):
        """Return the UUIDs of a device's attach handles by their info."""
        found = objects.AttachHandle.get_ah_list_by_deployable_id(
            self.context, self.deployable(address).id
        )
        return {handle.attach_info: handle.uuid for handle in found}

    def bind(self, address, resource_class, server_id=None):
        """Make an accelerator request and bind it, as pre_bind does."""
        profile = objects.DeviceProfile(self.context)
        profile.name = f'profile-{uuid.uuid4()}'
        profile.uuid = str(uuid.uuid4())
        profile.groups = [{f'resources:{resource_class}': '1'}]
        profile.create(self.context)
        arq = objects.ARQ(
            self.context,
            device_profile_name=profile.name,
            device_profile_group_id=0,
        )
        request = objects.ExtARQ(self.context, arq=arq)
        request.create(self.context, profile.id)
        fields = {
            'hostname': HOST,
            'device_rp_uuid': self.provider_id(address),
            'instance_uuid': server_id or str(uuid.uuid4()),
            'project_id': 'project',
        }
        found = request.arq.uuid
        patch = [
            {'op': 'add', 'path': f'/{k}', 'value': fields[k]} for k in fields
        ]
        self.conductor.arq_apply_patch(
            self.context, {found: patch}, {found: fields}
        )
        return objects.ExtARQ.get(self.context, found)

    def allocate(self, address, resource_class, server):
        """Allocate a slot to a server, as nova-scheduler does."""
        provider = self.provider_id(address)
        self.placement(
            f'/allocations/{consumer(server)}',
            'PUT',
            {
                'allocations': {provider: {'resources': {resource_class: 1}}},
                'project_id': 'project',
                'user_id': 'user',
                'consumer_generation': None,
            },
        )

    def forget(self, server):
        """Delete the allocations of a server, as Nova does."""
        self.placement(f'/allocations/{consumer(server)}', 'DELETE')

    def boot(self, address, resource_class):
        """Have a server get a slot, as Nova does; returns its request."""
        server_id = str(uuid.uuid4())
        self.allocate(address, resource_class, server_id)
        return self.bind(address, resource_class, server_id)

    def delete(self, request):
        """Delete a server, as Nova does: first its requests."""
        found = objects.ExtARQ.get(self.context, request.arq.uuid)
        unbind.devices([found.arq.uuid])
        self.forget(found.arq.instance_uuid)

    def candidates(self, resource_class, query=''):
        """Return the addresses of devices that Placement offers a slot of."""
        found = self.placement(
            f'/allocation_candidates?resources_X={resource_class}:1{query}'
        )
        names = self.placement('/resource_providers')['resource_providers']
        by_uuid = {each['uuid']: each['name'] for each in names}
        providers = {
            provider
            for request in found['allocation_requests']
            for provider in request['allocations']
        }
        return sorted(
            by_uuid[uuid].removeprefix(f'{HOST}_') for uuid in providers
        )

    def offered(self, name):
        """Return how many slots of a device Placement offers."""
        found = self.placement(f'/resource_providers?name={name}')
        (item,) = found['resource_providers']
        base = f'/resource_providers/{item["uuid"]}'
        (inventory,) = self.placement(f'{base}/inventories')[
            'inventories'
        ].values()
        (used,) = self.placement(f'{base}/usages')['usages'].values()
        return inventory['total'] - inventory['reserved'] - used

    def place_of(self, request):
        """Return the address of the slot that a request has."""
        found = objects.ExtARQ.get(self.context, request.arq.uuid).arq
        return '{domain}:{bus}:{device}.{function}'.format(
            **found.attach_handle_info
        )

    def give_up_boots(self, requests):
        """Forget servers that got no slot: all but those of requests."""
        kept = {request.arq.uuid for request in requests}
        for found in objects.ExtARQ.list(self.context):
            if found.arq.uuid not in kept:
                self.delete(found)

    def slots(self, address):
        """Return the addresses of a device's slots."""
        return {
            '{domain}:{bus}:{device}.{function}'.format(**json.loads(info))
            for info in self.handles(address)
        }

    def report_devices(self, file_driver, *entries):
        """Report devices that no devices file may have together."""
        found = [
            driver.driver_device_of(devices.parse_device(entry), HOST)
            for entry in entries
        ]
        with mock.patch.object(file_driver, 'discover', return_value=found):
            self.report(file_driver)

    def move_slot(self, before, after):
        """Change the address in the row of a slot."""
        old, new = map(utils.pci_str_to_json, (before, after))
        table = models.AttachHandle
        with db_api.main_context_manager.writer.using(self.context) as found:
            found.query(table).filter_by(attach_info=old).update(
                {'attach_info': new}
            )

    def records(self):
        """Return all of Cyborg's rows about devices, to compare them."""
        tables = (
            models.Device,
            models.Deployable,
            models.Attribute,
            models.ControlpathID,
            models.AttachHandle,
        )
        with db_api.main_context_manager.reader.using(self.context) as found:
            return {
                table.__tablename__: [
                    {**row.as_dict(), 'updated_at': None}
                    for row in found.query(table).order_by(table.id)
                ]
                for table in tables
            }


@pytest.fixture
def _config():
    with (
        messaging_fixture.ConfFixture(CONF, 'fake://'),
        config_fixture.Config(CONF) as fixture,
    ):
        fixture.config(host=HOST)
        cyborg_config.parse_args(['test'], default_config_files=[])
        yield fixture
        rpc.cleanup()


@pytest.fixture
def _devices_file(_config):
    with devices_file.DevicesFileFixture(CONF) as fixture:
        yield fixture


@pytest.fixture
def _database(_config):
    with database.DatabaseFixture(databases.emptied()) as fixture:
        yield fixture


@pytest.fixture
def _placement():
    with placement.PlacementFixture() as fixture:
        yield fixture


@pytest.fixture
def plugin(monkeypatch):
    """Have the plugin in cyborg-conductor until the test is over."""
    monkeypatch.setattr(
        stock_manager, 'ConductorManager', stock_manager.ConductorManager
    )
    monkeypatch.setattr(
        attach_handle.AttachHandle,
        'allocate',
        vars(attach_handle.AttachHandle)['allocate'],
    )
    handle = driver_attach_handle.DriverAttachHandle
    monkeypatch.setattr(handle, 'destroy', handle.destroy)
    monkeypatch.setattr(ext_arq.ExtARQ, 'unbind', ext_arq.ExtARQ.unbind)
    manager.install()


@pytest.fixture
def agent_rpc():
    """Stand in for Nova's API, and for the agent that writes to sysfs."""
    with (
        mock.patch.object(ext_arq_job.nova_client, 'NovaAPI', autospec=True),
        mock.patch.object(
            ext_arq, 'AgentAPI', autospec=agent_rpcapi.AgentAPI
        ) as agent,
    ):
        # As it is made anew for each instance.
        agent.return_value.client = mock.Mock()
        yield agent.return_value


@pytest.fixture
def clock():
    """A clock that goes on when a test says so."""
    with time_fixture.TimeFixture() as fixture:
        yield fixture


@pytest.fixture
def cloud(_config, _database, _placement, _devices_file):
    # The options of an auth plugin come with its choice.
    _config.register_opts(
        ks_loading.get_auth_plugin_conf_options('admin_token'),
        group='placement',
    )
    _config.config(
        group='placement',
        auth_type='admin_token',
        endpoint=_placement.endpoint,
        endpoint_override=_placement.endpoint,
        token='admin',
    )
    objects.register_all()
    found = Cloud(
        stock_manager.ConductorManager('cyborg-conductor', HOST),
        cyborg_context.get_admin_context(),
        _placement.endpoint,
        _database.engine,
        _devices_file,
    )
    # nova-compute makes its host's resource provider.
    found.placement(
        '/resource_providers',
        'POST',
        {'name': HOST, 'uuid': str(uuid.uuid4())},
    )
    return found
