# SPDX-License-Identifier: Apache-2.0

"""One server for all tests of a class."""

import typing as ty

from tempest.lib import exceptions as lib_exc
from tempest.lib.common.utils import test_utils

from nova_cyborg.tempest.tests import base as contexts_base
from nova_cyborg.tempest.tests.scenario import base

_CONTEXTS = 2


class SharedServerTest(base.BaseServerTest):
    """A server with two device contexts.

    Each test leaves it as it was, or has it built anew for the next one.
    """

    server_id: ty.ClassVar[str]
    context_ids: ty.ClassVar[list[str]]

    @classmethod
    def resource_setup(cls) -> None:
        """Boot it."""
        super().resource_setup()
        cls._build()

    @classmethod
    def _build(cls) -> None:
        cls.context_ids = []
        for _context in range(_CONTEXTS):
            made = contexts_base.new_context(
                cls.contexts, {}, cls.one_device()
            )
            cls.addClassResourceCleanup(
                test_utils.call_and_ignore_notfound_exc,
                cls.contexts.delete_device_context,
                made['uuid'],
            )
            cls.context_ids.append(made['uuid'])
        cls.server_id = cls.request_server(tuple(cls.context_ids))
        cls.addClassResourceCleanup(cls.delete_server, cls.server_id)
        cls.wait_for(cls.server_id, 'ACTIVE')

    def setUp(self) -> None:
        """See to it that it runs, and look at its slots."""
        super().setUp()
        if not self._is_active():
            # An earlier test has failed, and left it in some other state.
            self.delete_server(self.server_id)
            self._build()
        self.before = self.slots_now()

    def _is_active(self) -> bool:
        try:
            server = self.servers.show_server(self.server_id)['server']
        except lib_exc.NotFound:
            return False
        return (
            server['status'] == 'ACTIVE'
            and server['OS-EXT-STS:task_state'] is None
        )

    def slots_now(self) -> list[tuple[str, str]]:
        """Check that the devices are bound, and return their slots.

        :returns: the ARQ and the slot of each device of the contexts.
        """
        return self.assert_bound(self.server_id, *self.context_ids)

    def assert_kept(self, status: str = 'ACTIVE') -> None:
        """Wait for a status, and check that the slots are the same.

        :param status: the status.
        """
        server = self.wait_for(self.server_id, status)
        self.assertNotIn('fault', server)
        self.assertEqual(self.before, self.slots_now())
