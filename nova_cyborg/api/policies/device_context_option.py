# SPDX-License-Identifier: Apache-2.0

"""Policies of what device contexts can ask for."""

from __future__ import annotations

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_context_option:%s'
GET_ALL = BASE % 'get_all'
GET_NUMBERS = BASE % 'get_numbers'

# A type of oslo.policy 5.0, which older releases of OpenStack do not have.
_OPERATIONS: list[policy.Operation] = [
    {'method': 'GET', 'path': '/v2/device_context_options'}
]
# Its answer says what no device has as yet.
_CREATE: policy.Operation = {'method': 'POST', 'path': '/v2/device_contexts'}


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        policy.DocumentedRuleDefault(
            name=GET_ALL,
            check_str=f'{base.PROJECT_READER} or {base.ADMIN}',
            description='List what device contexts can ask for, and whether '
            'it is free, in words; and be warned when a device context asks '
            'for what no device has.',
            operations=[*_OPERATIONS, _CREATE],
            scope_types=['project'],
        ),
        policy.DocumentedRuleDefault(
            name=GET_NUMBERS,
            check_str=base.ADMIN,
            description='Be told, too, how many units of it there are, used '
            'and free.',
            operations=_OPERATIONS,
            scope_types=['project'],
        ),
    ]
