# SPDX-License-Identifier: Apache-2.0

"""Nova's services as they are without the plugin, in the tests' process.

The plugin is in this process; what it puts in the place of Nova's classes is
put back here, for the services that are started from then on.
"""

import fixtures
from nova import service
from nova.compute import manager as compute_manager
from nova.conductor import manager as conductor_manager
from nova.virt import libvirt
from nova.virt.libvirt import driver

_CONDUCTOR = conductor_manager.ConductorManager
_COMPUTE = compute_manager.ComputeManager


def _name(manager: type) -> str:
    return f'{manager.__module__}.{manager.__qualname__}'


class _Managers(fixtures.MockPatch):
    """Have a service managed by another class."""

    def __init__(self, managers: dict[str, str]) -> None:
        super().__init__(
            'nova.service.SERVICE_MANAGERS',
            {**service.SERVICE_MANAGERS, **managers},
        )


class StockComputes(fixtures.Fixture):
    """Start nova-computes without the plugin."""

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{libvirt.__name__}.LibvirtDriver', driver.LibvirtDriver
            )
        )
        self.useFixture(_Managers({'nova-compute': _name(_COMPUTE)}))


class StockConductors(fixtures.Fixture):
    """Start nova-conductors without the plugin."""

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        # Nova's own, of which the class that is there now is a subclass.
        stock = conductor_manager.ComputeTaskManager.__base__
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{conductor_manager.__name__}.ComputeTaskManager', stock
            )
        )
        self.useFixture(_Managers({'nova-conductor': _name(_CONDUCTOR)}))
