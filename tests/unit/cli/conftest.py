# SPDX-License-Identifier: Apache-2.0

"""A cloud of canned answers: what is run against it are the real clients."""

import collections.abc
import dataclasses
import logging
import os
import pathlib
import typing as ty
from urllib import parse

import novaclient.shell
import openstackclient.shell
import pytest
import requests_mock as mock_lib
from keystoneauth1 import fixture as ksa_fixture
from osc_lib import clientmanager

from nova_cyborg.cli.commands import shell

KEYSTONE = 'http://keystone.test/v3'
CYBORG = 'http://cyborg.test:6666/v2'
NOVA = 'http://nova.test/v2.1'
GLANCE = 'http://glance.test'
CONTEXT_ID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
OTHER_ID = '0c5c8bc2-bba8-4bd9-9a0e-1d8a6d0d3a22'
SERVER_ID = '3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11'


def context(**fields: ty.Any) -> dict[str, ty.Any]:
    """A device context, as the API answers."""
    return {
        'uuid': CONTEXT_ID,
        'name': 'zip',
        'description': None,
        'project_id': 'a' * 32,
        'user_id': 'b' * 32,
        'status': 'available',
        'fault': None,
        'delete_on_termination': True,
        'live_migration': 'refuse',
        'tag': None,
        'tags': [],
        'revision': 0,
        'groups': [
            {
                'resources': {'CUSTOM_FPGA_GZIP': 1},
                'required': ['CUSTOM_SOME_FOO_CAPABILITY'],
                'forbidden': [],
                'config': {'key1': 'val1'},
            }
        ],
        'device_profile_id': None,
        'server_id': None,
        'host': None,
        'devices': [],
        'bindings': [],
        'created_at': '2026-01-01T00:00:00Z',
        'updated_at': None,
        'links': [],
    } | fields


def bound_context() -> dict[str, ty.Any]:
    """A device context that a server uses."""
    device = {
        'arq_id': OTHER_ID,
        'group': 0,
        'state': 'Bound',
        'host': 'compute1',
        'resource_provider_id': OTHER_ID,
        'attach_handle_type': 'PCI',
        'attach_handle_id': '7',
        'attach_handle_info': {'domain': '0000', 'bus': '0c'},
        'slot': '0000:0c:00.1',
    }
    binding = {'host': 'compute1', 'state': 'active', 'devices': [device]}
    return context(
        status='bound',
        server_id=SERVER_ID,
        host='compute1',
        devices=[device],
        bindings=[binding],
    )


def error(status: int, sentence: str) -> dict[str, ty.Any]:
    """An error of the device contexts' API."""
    detail = {'status': status, 'detail': sentence, 'request_id': 'req-1'}
    return {'errors': [detail]}


@dataclasses.dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


class Cloud:
    """Keystone, and what a test adds."""

    def __init__(self, mock: mock_lib.Mocker) -> None:
        self.mock = mock
        mock.get(KEYSTONE, json={'version': ksa_fixture.V3Discovery(KEYSTONE)})
        self.login({'accelerator': CYBORG, 'compute': NOVA, 'image': GLANCE})
        mock.get(
            CYBORG,
            json={
                'id': 'v2.0',
                'status': 'CURRENT',
                'min_version': '2.0',
                'max_version': '2.3',
                # As Cyborg has it, wherever it is served.
                'links': [
                    {
                        'rel': 'self',
                        'href': 'http://cyborg.test:6666/accelerator/v2/',
                    }
                ],
            },
        )

    def login(self, endpoints: dict[str, str]) -> None:
        """Answer logins with a catalog of these endpoints."""
        token = ksa_fixture.V3Token()
        token.set_project_scope()
        for service_type, url in endpoints.items():
            service = token.add_service(service_type)
            service.add_standard_endpoints(public=url, region='one')
        self.mock.post(
            f'{KEYSTONE}/auth/tokens',
            json=token,
            headers={'X-Subject-Token': 'token'},
        )

    def answer(
        self,
        method: str,
        path: str = '/device_contexts',
        **answer: ty.Any,
    ) -> None:
        """Let Cyborg answer a request."""
        self.mock.register_uri(method, CYBORG + path, **answer)

    def named(self, name: str, *context_ids: str) -> None:
        """Let Cyborg have device contexts of a name."""
        query = parse.urlencode({'name': name})
        found = [{'uuid': context_id} for context_id in context_ids]
        self.answer(
            'GET',
            f'/device_contexts?{query}',
            json={'device_contexts': found},
        )

    def requests(self, base: str = CYBORG) -> list[ty.Any]:
        """The requests a service got, without those for versions."""
        return [
            request
            for request in self.mock.request_history
            if request.url.startswith(f'{base}/')
        ]


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> collections.abc.Iterator[None]:
    """A user's environment, with the logging that the clients set up."""
    for name in list(os.environ):
        if name.startswith(('OS_', 'NOVA')):
            monkeypatch.delenv(name)
    # openstacksdk looks for the others where they were when it was imported.
    clouds = tmp_path / 'clouds.yaml'
    clouds.write_text('{"clouds": {}}')
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(clouds))
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = before


@pytest.fixture
def cloud(
    requests_mock: mock_lib.Mocker, monkeypatch: pytest.MonkeyPatch
) -> Cloud:
    """A cloud that the environment names."""
    environment = {
        'AUTH_URL': KEYSTONE,
        'USERNAME': 'member',
        'PASSWORD': 'secret',
        'PROJECT_NAME': 'demo',
        'USER_DOMAIN_ID': 'default',
        'PROJECT_DOMAIN_ID': 'default',
        'IDENTITY_API_VERSION': '3',
    }
    for name, value in environment.items():
        monkeypatch.setenv(f'OS_{name}', value)
    return Cloud(requests_mock)


Run = collections.abc.Callable[..., Result]


def _runner(
    main: ty.Callable[[list[str]], int | None],
    capsys: pytest.CaptureFixture[str],
) -> Run:
    def run(*argv: str) -> Result:
        code: ty.Any = 0
        capsys.readouterr()
        try:
            code = main(list(argv))
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return Result(code or 0, out, err)

    return run


@pytest.fixture
def openstack(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``openstack``, logged out."""
    # The class keeps the clients that it made, for the whole process. The
    # one for volumes cannot be made twice in old releases, and is not used.
    for name, client in vars(clientmanager.ClientManager).items():
        if isinstance(client, clientmanager.ClientCache) and name != 'volume':
            client._handle = None
    return _runner(openstackclient.shell.main, capsys)


@pytest.fixture
def nova(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``nova``."""
    return _runner(novaclient.shell.main, capsys)


@pytest.fixture
def cyborg(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``cyborg``."""
    return _runner(shell.main, capsys)
