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

"""The packages that hypervisor machines take, outside of them."""

import os

from tools.cloud import exception
from tools.cloud.production import packages
from tools.guest import programs

_NAMES = (
    # What Nova's driver calls.
    *('genisoimage', 'qemu-utils'),
    *('libvirt-clients', 'python3-libvirt'),
    'qemu-system-x86',
    *programs.PACKAGES,
)


def require() -> None:
    """Install the packages that are missing.

    :raises MissingPackages: if they cannot be installed.
    :raises NotRoot: if somebody else than root asks.
    """
    if os.geteuid() != 0:
        raise exception.NotRoot()
    packages.install(_NAMES)
