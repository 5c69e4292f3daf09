# SPDX-License-Identifier: Apache-2.0

"""Policies of the reconciler, which looks after the whole cloud."""

from cyborg.policies import base
from oslo_policy import policy

GET = 'cyborg:reconciler:get'


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        policy.DocumentedRuleDefault(
            name=GET,
            check_str=base.ADMIN,
            description='Show who reconciles, and what was found.',
            operations=[{'method': 'GET', 'path': '/v2/reconciler'}],
            scope_types=['project'],
        )
    ]
