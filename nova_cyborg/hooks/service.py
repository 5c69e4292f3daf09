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

"""Every Nova service: which class manages nova-compute."""

from nova import service

from nova_cyborg import exception

_BINARY = 'nova-compute'
_STOCK = 'nova.compute.manager.ComputeManager'
# A name: only nova-compute imports it.
_OURS = 'nova_cyborg.hooks.compute.ComputeManager'


def install() -> str:
    """Have nova-compute managed by the class that extends Nova's.

    The class is not put into Nova's module: methods there call ``super()``
    by its name.

    :returns: nothing for the log: the class logs when it is used.
    :raises PluginActivationFailed: if this release of Nova has another
        manager.
    """
    found = service.SERVICE_MANAGERS.get(_BINARY)
    if found not in (_STOCK, _OURS):
        raise exception.PluginActivationFailed(
            reason=f'{_BINARY} is managed by {found}, not {_STOCK}'
        )
    service.SERVICE_MANAGERS[_BINARY] = _OURS
    return ''
