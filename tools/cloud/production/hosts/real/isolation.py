# SPDX-License-Identifier: Apache-2.0

"""Keeps servers that are no systems from hosts that would really boot them.

Nova lets nobody onto hosts of an aggregate that requires a trait but those who
require it: here, by the image.
"""

import typing as ty

from keystoneauth1 import adapter, session

from tools.cloud.model import state as cloud_state

TRAIT = 'CUSTOM_REAL_HYPERVISOR'
_REQUIRED = {f'trait:{TRAIT}': 'required'}
#: Properties of an image that is to boot on a real hypervisor.
PROPERTIES = _REQUIRED
#: The option of nova-scheduler that this takes.
OPTIONS = {'enable_isolated_aggregate_filtering': 'true'}


def make_aggregate(state: cloud_state.State, admin: session.Session) -> None:
    """Put the real hosts into an aggregate that requires the trait."""
    nova = adapter.Adapter(admin, service_type='compute')
    made = nova.post('/os-aggregates', json={'aggregate': {'name': 'real'}})
    path = f'/os-aggregates/{made.json()["aggregate"]["id"]}/action'
    actions: list[dict[str, dict[str, ty.Any]]] = [
        {'set_metadata': {'metadata': _REQUIRED}},
        *({'add_host': {'host': host}} for host in state.settings.real_hosts),
    ]
    for action in actions:
        nova.post(path, json=action)
