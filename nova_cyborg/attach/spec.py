# SPDX-License-Identifier: Apache-2.0

"""The contract of attach drivers, one for each type of attach handle.

An attach driver is a class in the entry point namespace
``nova_cyborg.attach``, under the name of the type. It is made once a
nova-compute, without arguments, and called by several threads (or green
threads) at once.
"""

import abc
import collections.abc
import typing as ty

from nova.virt.libvirt import config as vconfig


class AttachDriver(abc.ABC):
    """Puts devices into the libvirt config of guests."""

    @abc.abstractmethod
    def attach(
        self,
        guest: vconfig.LibvirtConfigGuest,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """See that a guest has the device of an accelerator request, once.

        :param guest: the guest's config; changed in place. Nova may have
            added the device already, without an alias.
        :param arq: the accelerator request, bound, as Cyborg's API shows it.
        :raises Exception: if the device cannot be attached; the guest is
            then not started, and the message becomes the server's fault.
        """


def alias(arq: collections.abc.Mapping[str, ty.Any]) -> str:
    """Name the device of an accelerator request.

    :param arq: the accelerator request.
    :returns: a user alias: libvirt keeps those that begin with ``ua-``, see
        https://libvirt.org/formatdomain.html#elementsDevices
    """
    return f'ua-{arq["uuid"]}'


def replace_or_add(
    guest: vconfig.LibvirtConfigGuest,
    device: vconfig.LibvirtConfigGuestHostdev,
    is_same: collections.abc.Callable[[ty.Any], bool],
) -> None:
    """Put a device where Nova has put its own config of it, or at the end.

    :param guest: the guest's config; changed in place.
    :param device: the device's config.
    :param is_same: tells of a config whether it is of the same device.
    """
    for index, present in enumerate(guest.devices):
        if is_same(present):
            device.managed = present.managed
            guest.devices[index] = device
            return
    guest.add_device(device)
