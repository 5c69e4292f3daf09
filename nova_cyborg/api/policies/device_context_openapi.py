# SPDX-License-Identifier: Apache-2.0

"""The policy of the document of the API, which has nothing of a project."""

from oslo_policy import policy

GET = 'cyborg:device_context_openapi:get'


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        policy.DocumentedRuleDefault(
            name=GET,
            # Whoever has a token.
            check_str='@',
            description='Show the OpenAPI document of device contexts.',
            operations=[
                {'method': 'GET', 'path': '/v2/device_context_openapi'}
            ],
            scope_types=['system', 'domain', 'project'],
        )
    ]
