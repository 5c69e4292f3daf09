# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A stand-in where Cyborg writes to sysfs for mediated devices."""

import collections.abc

from cyborg.accelerator.drivers.gpu import utils

from tools.cloud import mdevs


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
