# SPDX-License-Identifier: Apache-2.0

"""The policy of the events of device contexts."""

from cyborg.policies import base
from oslo_policy import policy

GET_ALL = 'cyborg:device_context_event:get_all'


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        policy.DocumentedRuleDefault(
            name=GET_ALL,
            # As for the device contexts themselves.
            check_str=f'{base.PROJECT_READER} or {base.ADMIN}',
            description='List the events of a device context, also of one '
            'that was deleted. Only administrators see those of other '
            'projects.',
            operations=[
                {
                    'method': 'GET',
                    'path': '/v2/device_contexts/{uuid}/events',
                }
            ],
            scope_types=['project'],
        )
    ]
