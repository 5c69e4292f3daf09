# SPDX-License-Identifier: Apache-2.0

"""nova-api finds the nova-compute of a server, and may be pinned."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty

from nova import context as nova_context
from nova.compute import rpcapi


class CellsTest(plugging.TestCase):
    """There is a server in each of two cells."""

    NUMBER_OF_CELLS = 2
    COMPUTES = ('compute1', 'compute2')
    CELLS: ty.ClassVar = {'compute2': 'cell2'}

    def test_both(self) -> None:
        servers = {'cell1': self.server, 'cell2': self._boot_in_second()}
        held = {}
        for cell, server in servers.items():
            self.assertEqual(cell, self.cell_of(server).name)
            held[cell] = [
                self.create_context(resources={name: 1})
                for name in ('FPGA', 'VGPU')
            ]
            self.server = server
            for context_id in held[cell]:
                self.attach(context_id)
        for cell, server in servers.items():
            self.server = server
            self.assert_uses(*held[cell])
            for context_id in held[cell]:
                self.detach(context_id)
            self.assert_unmarked()
        self.assert_as_before()

    def boot_first(self) -> dict[str, ty.Any]:
        """Boot the server, in the first cell."""
        self.set_enabled('compute2', False)
        server = self.boot()
        self.set_enabled('compute2', True)
        return server

    def _boot_in_second(self) -> dict[str, ty.Any]:
        self.set_enabled('compute1', False)
        server = self.boot()
        self.set_enabled('compute1', True)
        return server


class PinnedTest(plugging.TestCase):
    """Nova's messages to nova-compute are those of an earlier release."""

    def _pin(self, level: str) -> None:
        self.flags(compute=level, group='upgrade_levels')
        rpcapi.reset_globals()

    def _assert_works(self) -> None:
        for context_id in (self.pci, self.mdev):
            self.attach(context_id)
        self.assert_has(self.pci, self.mdev)
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.assert_has(self.pci, self.mdev)
        for context_id in (self.pci, self.mdev):
            self.detach(context_id)
        self.assert_as_before()

    def test_to_a_release(self) -> None:
        self._pin('antelope')
        self._assert_works()
        client = rpcapi.ComputeAPI().router.client(
            nova_context.get_admin_context()
        )
        self.assertFalse(client.can_send_version('6.3'))

    def test_to_what_all_have(self) -> None:
        self._pin('auto')
        self._assert_works()
