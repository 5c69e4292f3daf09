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

"""The services' configuration files, written from the cloud's state."""

import collections.abc

from tools.cloud import state as cloud_state
from tools.cloud.configs import (
    base,
    cyborg,
    glance,
    keystone,
    neutron,
    nova,
    placement,
)

_OPTIONS: dict[
    str, collections.abc.Callable[[cloud_state.State], base.Options]
] = {
    'keystone': keystone.options,
    'placement': placement.options,
    'glance': glance.options,
    'neutron': neutron.options,
    'nova': nova.options,
    'cyborg': cyborg.options,
}


Change = collections.abc.Callable[[base.Options], base.Options]


def _unchanged(options: base.Options) -> base.Options:
    return options


def write(state: cloud_state.State, change: Change = _unchanged) -> None:
    """Write the configuration files of all services.

    :param state: the cloud.
    :param change: what the kind of cloud makes of each one's options.
    """
    for service, options in _OPTIONS.items():
        base.write(state.config(service), change(options(state)))
    cyborg.write_paste(state)
