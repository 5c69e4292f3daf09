# SPDX-License-Identifier: Apache-2.0

"""Policies of device taints: whose devices they are looks after them."""

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_taint:%s'
CREATE = BASE % 'create'
GET_ONE = BASE % 'get_one'
GET_ALL = BASE % 'get_all'
DELETE = BASE % 'delete'

_COLLECTION = '/v2/device_taints'
_MEMBER = '/v2/device_taints/{uuid}'


def _rule(
    name: str, description: str, method: str, path: str
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=base.ADMIN,
        description=description,
        operations=[{'method': method, 'path': path}],
        scope_types=['project'],
    )


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        _rule(CREATE, 'Taint a device.', 'POST', _COLLECTION),
        _rule(GET_ONE, 'Show a taint of a device.', 'GET', _MEMBER),
        _rule(GET_ALL, 'List the taints of devices.', 'GET', _COLLECTION),
        _rule(DELETE, 'Delete a taint of a device.', 'DELETE', _MEMBER),
    ]
