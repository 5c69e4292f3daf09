# SPDX-License-Identifier: Apache-2.0

"""What says why there is no host: the server, the context, the client."""

from tests.functional.nova import base  # isort: skip - first

import types
import typing as ty

import requests
from keystoneauth1 import adapter, session, token_endpoint
from nova_cyborg.cli.commands.explaining import explain as command
from nova_cyborg.fixture import http_server

_NO_HOST = 'No valid host was found. '


class TestCase(base.TestCase):
    """Placement can be asked by Cyborg, too."""

    def setUp(self) -> None:
        super().setUp()
        self.reach_placement()

    def reach_placement(self) -> None:
        """Have Cyborg ask Placement."""
        self.cyborg.control('reach_placement', url=self.serve_placement())

    def disable_only_device(self) -> None:
        """Have the operators disable the only device that there is."""
        (device,) = self.cyborg.control('rows', table='devices')
        token = http_server.token('user', self.api.project_id, 'admin')
        requests.post(
            f'{self.cyborg.url}/devices/{device["uuid"]}/disable',
            headers={'X-Auth-Token': token},
            timeout=60,
        ).raise_for_status()

    def assert_explained(
        self, sentence: str, *context_ids: str, **fields: ty.Any
    ) -> dict[str, ty.Any]:
        """Check who says why a server is not built.

        The fault of the server, that of each device context, and the client
        for the only device context.

        :returns: the server.
        """
        server = self.post_server(*context_ids, **fields)
        self.assertEqual(_NO_HOST + sentence, self.fault_of(server))
        self.assert_available(*context_ids)
        for context_id in context_ids:
            self.assertEqual(sentence, self.get_context(context_id)['fault'])
        if len(context_ids) == 1:
            (context_id,) = context_ids
            flavor = fields.get('flavorRef', self.plain_flavor)
            said, _rows = self.explain(context_id, '--flavor', flavor)
            self.assertEqual(sentence, said)
        return server

    def explain(
        self, *arguments: str, roles: tuple[str, ...] = ('member', 'reader')
    ) -> tuple[str, list[tuple[ty.Any, ...]]]:
        """Run the client's command; return the sentence and the rows."""
        app = _App(self, roles)
        parsed = (
            command.ExplainDeviceContext(app, None)
            .get_parser('explain')
            .parse_args(list(arguments))
        )
        _columns, rows = command.ExplainDeviceContext(app, None).take_action(
            parsed
        )
        return app.stdout.written.strip(), list(rows)


class _App:
    """As much of the client as the command needs."""

    def __init__(self, test: TestCase, roles: tuple[str, ...]) -> None:
        self._test = test
        self.stdout = self.stderr = _Written()
        token = http_server.token('user', test.api.project_id, *roles)
        auth = token_endpoint.Token(test.cyborg.url, token)
        self.client_manager = types.SimpleNamespace(
            accelerator=adapter.Adapter(session.Session(auth=auth)),
            sdk_connection=types.SimpleNamespace(
                compute=types.SimpleNamespace(find_flavor=self._flavor)
            ),
        )

    def _flavor(self, name: str, **_kwargs: ty.Any) -> ty.Any:
        flavor = self._test.api.get_flavor(name)
        return types.SimpleNamespace(
            **{
                key: flavor[key]
                for key in ('vcpus', 'ram', 'disk', 'swap', 'extra_specs')
            },
            ephemeral=flavor['OS-FLV-EXT-DATA:ephemeral'],
        )


class _Written:
    def __init__(self) -> None:
        self.written = ''

    def write(self, text: str) -> None:
        self.written += text
