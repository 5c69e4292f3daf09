# SPDX-License-Identifier: Apache-2.0

"""Policies of what projects may have, and have."""

from __future__ import annotations

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_context_limit:%s'
GET_ALL = BASE % 'get_all'
GET_OTHERS = BASE % 'get_others'

# A type of oslo.policy 5.0, which older releases of OpenStack do not have.
_OPERATIONS: list[policy.Operation] = [
    {'method': 'GET', 'path': '/v2/device_context_limits'}
]


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        policy.DocumentedRuleDefault(
            name=GET_ALL,
            check_str=f'{base.PROJECT_READER} or {base.ADMIN}',
            description='List how many device contexts and accelerators the '
            'project may have, and has.',
            operations=_OPERATIONS,
            scope_types=['project'],
        ),
        policy.DocumentedRuleDefault(
            name=GET_OTHERS,
            check_str=base.ADMIN,
            description='List the same of another project, named by '
            'project_id.',
            operations=_OPERATIONS,
            scope_types=['project'],
        ),
    ]
