# SPDX-License-Identifier: Apache-2.0

"""What makes the difference between kinds of clouds."""

import abc
import collections.abc
import contextlib
import typing as ty

from tools.cloud.model import devices, programs
from tools.cloud.model import settings as cloud_settings
from tools.cloud.model import state as cloud_state


class Steps(ty.Protocol):
    """What a kind needs to start a cloud: ways to act, wait and tell."""

    def step(self, what: str) -> contextlib.AbstractContextManager[None]:
        """Tell when a block is done, or has failed.

        :param what: what the block does.
        """

    def wait(
        self, what: str, condition: collections.abc.Callable[[], bool]
    ) -> None:
        """Wait until a condition holds, and tell.

        :param what: the condition.
        :param condition: tells whether it holds.
        :raises StepFailed: if it does not in time, or a process ends.
        """

    def start(self, *names: str) -> None:
        """Start programs, and wait until they are ready.

        :param names: their names, or those of their services.
        :raises StepFailed: if one does not start in time.
        """


class Kind(abc.ABC):
    """A kind of cloud.

    :ivar databases: kinds of databases it can have, the default one first.
    :ivar listeners: what needs a port, beside the APIs and the supervisor.
    :ivar default_computes: how many compute hosts with a fake hypervisor
        there are, if not told.
    :ivar default_real: how many with a real one there are, if not told; None
        if there can be none.
    :ivar max_computes: how many of each of the two there can be at most.
    :ivar max_conductors: how many cyborg-conductors there can be at most.
    :ivar devices: the folder of the hosts' lists of accelerators.
    :ivar seconds: how long ``up`` may take, if not told.
    """

    databases: tuple[str, ...] = ()
    listeners: tuple[str, ...] = ()
    default_computes = 1
    default_real: int | None = None
    # Each has services, and their memory: more are a mistake.
    max_computes = 64
    max_conductors = 1
    devices = devices.SHIPPED
    seconds = 180.0

    def require(  # noqa: B027
        self, settings: cloud_settings.Settings
    ) -> None:
        """Make sure that the machine has what it takes.

        :param settings: how the cloud is to be made.
        :raises CloudError: if it has not, and cannot get it.
        """

    @abc.abstractmethod
    def write_files(self, state: cloud_state.State) -> None:
        """Write what the programs read: configuration and more."""

    @abc.abstractmethod
    def programs(self, state: cloud_state.State) -> list[programs.Program]:
        """Return all programs.

        :returns: the programs, in the order in which they are shown.
        """

    def start(  # noqa: B027
        self, state: cloud_state.State, steps: Steps
    ) -> None:
        """Start what does not start with the supervisor.

        :param steps: ways to do so.
        :raises StepFailed: if something does not start.
        """

    def image(self, state: cloud_state.State) -> bytes:
        """Return what the image is that servers boot.

        :returns: a disk; here a name and a size, not a system.
        """
        return b'\0' * 65536

    @abc.abstractmethod
    def domain_xml(self, state: cloud_state.State, server_id: str) -> str:
        """Return a server's guest definition, whatever its host.

        :returns: the guest's XML.
        :raises NoGuest: if no host has it.
        """
