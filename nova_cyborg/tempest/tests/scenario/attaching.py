# SPDX-License-Identifier: Apache-2.0

"""What the tests of servers that get device contexts later have in common."""

import typing as ty

from tempest import config
from tempest.lib.common.utils import test_utils

from nova_cyborg.tempest.tests.scenario import base

CONF = config.CONF


class BaseAttachTest(base.BaseServerTest):
    """A project that attaches device contexts to servers."""

    @classmethod
    def skip_checks(cls) -> None:
        """Skip where Nova cannot do it."""
        super().skip_checks()
        if not CONF.device_context.hot_plug:
            raise cls.skipException(
                'Device contexts cannot be attached to servers '
                '([device_context] hot_plug)'
            )

    @classmethod
    def setup_clients(cls) -> None:
        """Name the client of the project's member."""
        super().setup_clients()
        cls.attachments = cls.attachments_client(cls.os_primary)

    @staticmethod
    def attachments_client(manager: ty.Any) -> ty.Any:
        """Return somebody's client.

        :param manager: their clients.
        :returns: the client.
        """
        return manager.server_device_context.ServerDeviceContextsClient()

    def boot(self, *context_ids: str, **fields: ty.Any) -> str:
        """Boot a server, on a host that has devices, and wait until it runs.

        :param context_ids: its device contexts. Without one, it gets one to
            be booted with, and loses it: nothing else takes it there.
        :param fields: further fields of the request.
        :returns: its UUID.
        """
        if context_ids:
            return super().boot(*context_ids, **fields)
        first = self.create_context()['uuid']
        server_id = super().boot(first, **fields)
        self.detach(server_id, first)
        return server_id

    def attach(self, server_id: str, context_id: str, **fields: str) -> None:
        """Attach a device context, and wait until that is done.

        :param server_id: the server's UUID.
        :param context_id: the device context's UUID.
        :param fields: further fields of the request.
        """
        begun = self.attachments.attach_device_context(
            server_id, context_id, **fields
        )['deviceContextAttachment']
        self.assertEqual(context_id, begun['device_context_id'])
        self.assertEqual(server_id, begun['server_id'])
        context = self._settled(context_id)
        self.assertEqual('bound', context['status'], context['fault'])

    def detach(self, server_id: str, context_id: str) -> None:
        """Detach a device context, and wait until that is done.

        :param server_id: the server's UUID.
        :param context_id: the device context's UUID.
        """
        self.attachments.detach_device_context(server_id, context_id)
        context = self._settled(context_id)
        self.assertEqual('available', context['status'], context['fault'])
        self.assertIsNone(context['server_id'])
        self.assertEqual([], context['devices'])

    def attached_to(self, server_id: str) -> list[str]:
        """Return the device contexts that Nova says a server has.

        :param server_id: the server's UUID.
        :returns: their UUIDs.
        """
        listed = self.attachments.list_server_device_contexts(server_id)
        return sorted(
            each['device_context_id']
            for each in listed['deviceContextAttachments']
        )

    def _settled(self, context_id: str) -> dict[str, ty.Any]:
        """Wait until a device context is neither attached nor detached."""
        if not test_utils.call_until_true(
            lambda: (
                self.show(context_id)['status']
                not in ('attaching', 'detaching')
            ),
            CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            self.fail(f'it does not end: {self.show(context_id)}')
        return self.show(context_id)
