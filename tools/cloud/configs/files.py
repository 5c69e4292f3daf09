# SPDX-License-Identifier: Apache-2.0

"""The services' configuration files, written from the cloud's state."""

import collections.abc

from tools.cloud.configs import (
    base,
    cyborg,
    glance,
    keystone,
    neutron,
    nova,
    placement,
)
from tools.cloud.model import state as cloud_state

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

    :param change: what the kind of cloud makes of each one's options.
    """
    for service, options in _OPTIONS.items():
        base.write(state.config(service), change(options(state)))
    cyborg.write_paste(state)
