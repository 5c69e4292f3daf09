# SPDX-License-Identifier: Apache-2.0

"""A Cyborg as it is deployed, and what the steps of a file find there.

The application is what Cyborg's api-paste.ini makes of it, with Keystone's
middleware before it. Tokens are known to that, and say whose they are by
their names; what else there is, steps are told by variables.
"""

from tests.functional.api import cyborg  # isort: skip - first

import configparser
import typing as ty
import uuid

import fixtures
import oslo_limit.limit
import webtest
from cyborg.api import app as stock_app
from cyborg.common import placement_client
from keystoneauth1 import fixture as token_fixture
from keystonemiddleware import fixture as middleware_fixture

from nova_cyborg.lifecycle.limits import keystone as limits
from tests.functional import watched
from tests.functional.api import keystone, placement
from tools.cloud.machine import installation

PROJECT = 'ab' * 16
OTHER_PROJECT = 'cd' * 16
PROVIDER = '00000000-aaaa-4000-8000-00000000000a'
# What each of them is, in which project.
_PEOPLE = {
    'admin': ('ad' * 16, ('admin', 'manager', 'member', 'reader')),
    'manager': (PROJECT, ('manager', 'member', 'reader')),
    'member': (PROJECT, ('member', 'reader')),
    'reader': (PROJECT, ('reader',)),
    'no-role-of-ours': (PROJECT, ('nonesuch',)),
    'other-member': (OTHER_PROJECT, ('member', 'reader')),
    'other-reader': (OTHER_PROJECT, ('reader',)),
    # Nova's own user, in the project of the services.
    'service': ('5e' * 16, ('service',)),
    'expired': (PROJECT, ('member', 'reader')),
}
_FOREVER = '2999-01-01T00:00:00Z'
_LONG_AGO = '2001-01-01T00:00:00Z'


class World(cyborg.CyborgFixture):
    """A Cyborg for the steps of one file.

    :ivar deployed: the WSGI application, as paste.deploy makes it.
    :ivar variables: what steps know, as ``$ENVIRON``.
    """

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        super()._setUp()
        self.nova.zones = {'north': ['compute1']}
        self._reach_placement()
        self._reach_keystone()
        self._make_tokens()
        self.deployed = watched.Watched(self._deploy())
        self._api = webtest.TestApp(self.deployed)
        self.variables = self._furnish()

    def _reach_placement(self) -> None:
        self.placement = placement.Placement()
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{placement_client.__name__}.PlacementClient',
                lambda: self.placement,
            )
        )

    def _reach_keystone(self) -> None:
        """Have limits registered: of device contexts, and of one class."""
        stand_in = keystone.Keystone()
        self.addCleanup(stand_in.stop)
        stand_in.registered = {'device_contexts': 20, 'class:FPGA': 3}
        for name, value in (
            (f'{oslo_limit.limit.__name__}._SDK_CONNECTION', None),
            (f'{limits.__name__}._log', limits._Log()),
        ):
            self.useFixture(fixtures.MonkeyPatch(name, value))
        self.config.config(group='nova_cyborg', enforce_limits=True)
        self.config.config(
            group='oslo_limit',
            auth_type='none',
            endpoint_override=stand_in.url,
            endpoint_id=keystone.ENDPOINT,
        )

    def _make_tokens(self) -> None:
        self.config.config(
            group='keystone_authtoken',
            service_token_roles_required=True,
            www_authenticate_uri='http://keystone.test',
        )
        known = self.useFixture(middleware_fixture.AuthTokenFixture())
        for name, (project, roles) in _PEOPLE.items():
            known.add_token_data(
                name,
                expires=_LONG_AGO if name == 'expired' else _FOREVER,
                user_id=f'user-{name}',
                project_id=project,
                role_list=roles,
            )
        for name, roles, scope in (
            ('member-of-a-domain', 'member', {'domain_id': 'd0' * 16}),
            ('admin-of-the-system', 'admin', {}),
        ):
            token = token_fixture.V3Token(
                user_id=f'user-{name}', expires=_FOREVER, **scope
            )
            if not scope:
                token.system = {'all': True}
            for role in _PEOPLE[roles][1]:
                token.add_role(name=role)
            known.add_token(token, name)

    def _deploy(self) -> ty.Any:
        """Make the application of Cyborg's own file, with our one line."""
        parser = configparser.ConfigParser()
        parser.read(installation.packaged('cyborg', 'api-paste.ini'))
        parser.read(installation.ROOT / 'etc/nova-cyborg/api-paste.ini.sample')
        path = self.useFixture(fixtures.TempDir()).join('api-paste.ini')
        with open(path, 'w') as stream:
            parser.write(stream)
        self.config.config(group='api', api_paste_config=path)
        return stock_app.load_app()

    def _call(
        self, method: str, path: str, body: ty.Any, who: str, status: int
    ) -> ty.Any:
        headers = {'X-Auth-Token': who, 'X-Service-Token': 'service'}
        call = getattr(self._api, f'{method}_json')
        return call(path, body, headers=headers, status=status).json

    def _furnish(self) -> dict[str, str]:
        """Put things into the cloud that each file may use.

        A card with two slots; a server that holds a device context, and one
        that holds none; a device context that is free; a taint of a device
        that nobody asks for.
        """
        self.add_device(provider=PROVIDER, traits=['CUSTOM_FOO'])
        self.add_device(host='compute2', resource_class='PGPU', slots=1)
        holder, server = self.nova.boot(), self.nova.boot()
        free, held = [
            self._call(
                'post',
                '/v2/device_contexts',
                {'resources': {'FPGA': 1}, 'name': name, 'tags': ['given']},
                'member',
                201,
            )['uuid']
            for name in ('free', 'held')
        ]
        self._call(
            'put',
            f'/v2/device_allocations/{holder}',
            {'device_contexts': [held], 'caller': cyborg.CALLER},
            'member',
            200,
        )
        device = self._device('PGPU')
        taint = self._call(
            'post',
            '/v2/device_taints',
            {'device_uuid': device, 'key': 'hot', 'reason': 'It is.'},
            'admin',
            201,
        )
        return {
            'PROJECT': PROJECT,
            'PROVIDER': PROVIDER,
            'HOLDER': holder,
            'SERVER': server,
            'FREE': free,
            'HELD': held,
            'DEVICE': device,
            'TAINT': taint['uuid'],
            'CALLER': cyborg.CALLER,
            'UNKNOWN': cyborg.UNKNOWN,
            'UUID': str(uuid.uuid4()),
        }

    def _device(self, resource_class: str) -> str:
        headers = {'X-Auth-Token': 'admin'}
        found = self._api.get('/v2/devices', headers=headers).json['devices']
        # The last one was added last.
        return str(found[-1]['uuid'])
