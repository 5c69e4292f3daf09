# SPDX-License-Identifier: Apache-2.0

"""What the tests of servers with device contexts have in common."""

import typing as ty

from tempest import config
from tempest.common import compute, waiters
from tempest.lib import exceptions as lib_exc
from tempest.lib.common import api_version_utils
from tempest.lib.common.utils import data_utils, test_utils

from nova_cyborg.tempest.tests.scenario import checks

CONF = config.CONF


class BaseServerTest(
    api_version_utils.BaseMicroversionTest,
    checks.ServerChecks,
):
    """A project that boots servers with device contexts."""

    # Servers without networks, and snapshots that say which image they make.
    min_microversion = '2.45'

    @classmethod
    def skip_checks(cls) -> None:
        """Skip where there is no Nova of this age."""
        super().skip_checks()
        if not CONF.service_available.nova:
            raise cls.skipException(
                'Nova is not available ([service_available] nova)'
            )
        api_version_utils.check_skip_with_microversion(
            cls.min_microversion,
            cls.max_microversion,
            CONF.compute.min_microversion,
            CONF.compute.max_microversion,
        )

    @classmethod
    def setup_clients(cls) -> None:
        """Name the client of the project's member."""
        super().setup_clients()
        cls.servers = cls.os_primary.servers_client

    @classmethod
    def resource_setup(cls) -> None:
        """Choose the microversion."""
        super().resource_setup()
        cls.setup_api_microversion_fixture(
            compute_microversion=api_version_utils.select_request_microversion(
                cls.min_microversion, CONF.compute.min_microversion
            )
        )

    @classmethod
    def request_server(
        cls, context_ids: tuple[str, ...], **fields: ty.Any
    ) -> str:
        """Ask for a server; whoever asks has to delete it.

        :param context_ids: what to put into its hint.
        :param fields: further fields of the request.
        :returns: its UUID.
        """
        body = {
            'name': data_utils.rand_name(
                cls.__name__, prefix=CONF.resource_name_prefix
            ),
            'imageRef': CONF.compute.image_ref,
            'flavorRef': CONF.compute.flavor_ref,
            'networks': 'none',
            **fields,
        }
        if context_ids:
            hints = {'device_context_id': list(context_ids)}
            body['scheduler_hints'] = hints
        made = cls.servers.create_server(**body)
        return str(made['server']['id'])

    def request(self, *context_ids: str, **fields: ty.Any) -> str:
        """Ask for a server that is gone when the test is over.

        :param context_ids: what to put into its hint.
        :param fields: further fields of the request.
        :returns: its UUID.
        """
        server_id = self.request_server(context_ids, **fields)
        self.addCleanup(self.delete_server, server_id)
        return server_id

    def boot(self, *context_ids: str, **fields: ty.Any) -> str:
        """Boot a server, and wait until it is ACTIVE.

        :param context_ids: its device contexts.
        :param fields: further fields of the request.
        :returns: its UUID.
        """
        server_id = self.request(*context_ids, **fields)
        self.wait_for(server_id, 'ACTIVE')
        return server_id

    @classmethod
    def wait_for(cls, server_id: str, status: str) -> dict[str, ty.Any]:
        """Wait until a server has a status, and nothing is done to it.

        :param server_id: the server's UUID.
        :param status: the status.
        :returns: the server.
        """
        server: dict[str, ty.Any] = waiters.wait_for_server_status(
            cls.servers,
            server_id,
            status,
            raise_on_error=status != 'ERROR',
        )
        return server

    def wait_built(self, server_id: str) -> dict[str, ty.Any]:
        """Wait until a server is built, or is not going to be.

        :param server_id: the server's UUID.
        :returns: the server.
        """

        def show() -> dict[str, ty.Any]:
            shown: dict[str, ty.Any] = self.servers.show_server(server_id)
            return shown['server']

        if not test_utils.call_until_true(
            lambda: show()['status'] != 'BUILD',
            CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            self.fail(f'server {server_id} is still being built')
        return show()

    @classmethod
    def delete_server(cls, server_id: str) -> None:
        """Delete a server, and wait until it is gone.

        :param server_id: the server's UUID; it may be gone already.
        """
        test_utils.call_and_ignore_notfound_exc(
            cls.servers.delete_server, server_id
        )
        waiters.wait_for_server_termination(
            cls.servers, server_id, ignore_error=True
        )

    def shelve(self, server_id: str) -> None:
        """Shelve a server, and have it leave its host.

        :param server_id: the server's UUID.
        """
        compute.shelve_server(self.servers, server_id)
        if CONF.compute.shelved_offload_time < 0:
            self.admin_servers.shelve_offload_server(server_id)
            self.wait_for(server_id, 'SHELVED_OFFLOADED')
        # Nova says so some moments before it has Cyborg unbind them.
        if not test_utils.call_until_true(
            lambda: not self.arqs_of(server_id),
            CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            self.fail(f'server {server_id} still has devices')

    def refusal(self, *context_ids: str, **fields: ty.Any) -> tuple[int, str]:
        """Ask for a server that cannot be given its device contexts.

        nova-api may refuse it; else nova-conductor does, and the server goes
        to ERROR. Both tell the same.

        :param context_ids: what to put into its hint.
        :param fields: further fields of the request.
        :returns: the code and the sentence, of the answer or of the fault.
        """
        try:
            server_id = self.request(*context_ids, **fields)
        except lib_exc.ClientRestClientException as exc:
            return exc.resp.status, exc.resp_body['message']
        fault = self.wait_for(server_id, 'ERROR')['fault']
        self.assert_nothing_bound(server_id)
        return fault['code'], fault['message']
