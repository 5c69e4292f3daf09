# SPDX-License-Identifier: Apache-2.0

"""cyborg-agents: several in one process, for hosts without hardware."""

import collections.abc
import contextlib
import contextvars
import threading
from typing import Any

from cyborg.agent import manager
from cyborg.conf import CONF

from tools.cloud.embedded import overrides
from tools.cloud.fakes import mdevs, sysfs
from tools.cloud.model import state as cloud_state

_bus: contextvars.ContextVar[mdevs.MdevBus] = contextvars.ContextVar('bus')
_configured = threading.RLock()
_state: cloud_state.State


def install(state: cloud_state.State) -> None:
    """Put a stand-in where Cyborg writes to sysfs for mediated devices."""
    global _state
    _state = state
    sysfs.install(_bus.get)


@contextlib.contextmanager
def settings_of(host: str) -> collections.abc.Iterator[None]:
    """Configure the process for the agent of a host, whose turn it is then."""
    options: list[tuple[str, str, str | None]] = [
        ('host', host, None),
        ('resource_provider_name', host, 'agent'),
    ]
    if _state.settings.lists_devices:
        path = str(_state.devices(host))
        options.append(('devices_file', path, 'nova_cyborg'))
    with _configured, overrides.of(CONF, options):
        yield


class HostAgentManager(manager.AgentManager):  # type: ignore[misc]
    """The agent of one of several hosts in the process.

    Stock agents and their drivers take the host from the configuration, of
    which there is one in a process.
    """

    def __init__(self, topic: str, host: str) -> None:
        with settings_of(host):
            super().__init__(topic, host)
        self._mdev_bus = mdevs.MdevBus(_state.folder('mdevs', host))

    def periodic_tasks(
        self, context: Any, raise_on_error: bool = False
    ) -> Any:
        """Report the devices of this host."""
        with settings_of(self.host):
            return super().periodic_tasks(context, raise_on_error)

    def create_vgpu_mdev(self, *args: Any, **kwargs: Any) -> None:
        """Make a mediated device on this host."""
        _bus.set(self._mdev_bus)
        super().create_vgpu_mdev(*args, **kwargs)

    def remove_vgpu_mdev(self, *args: Any, **kwargs: Any) -> None:
        """Remove a mediated device from this host."""
        _bus.set(self._mdev_bus)
        super().remove_vgpu_mdev(*args, **kwargs)
