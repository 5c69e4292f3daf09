# SPDX-License-Identifier: Apache-2.0

"""A stand-in where Cyborg writes to sysfs for mediated devices."""

import collections.abc

from cyborg.accelerator.drivers.gpu import utils

from tools.cloud.fakes import mdevs


def install(bus: collections.abc.Callable[[], mdevs.MdevBus]) -> None:
    """Put the stand-in in its place.

    :param bus: returns the mediated devices of the host that is meant.
    """

    def create(pci_addr: str, mdev_type: str, ah_uuid: str) -> str:
        bus().create(mdevs.Mdev(ah_uuid, pci_addr, mdev_type))
        return ah_uuid

    def remove(physical_device: str, mdev_type: str, medv_uuid: str) -> None:
        bus().remove(medv_uuid)

    utils.create_mdev_privileged = create
    utils.remove_mdev_privileged = remove
