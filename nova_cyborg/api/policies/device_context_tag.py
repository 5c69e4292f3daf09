# SPDX-License-Identifier: Apache-2.0

"""Policies of the tags of device contexts, as of what they are tags of."""

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_context_tag:%s'
GET = BASE % 'get'
UPDATE = BASE % 'update'

_ALL = '/v2/device_contexts/{uuid}/tags'
_ONE = '/v2/device_contexts/{uuid}/tags/{tag}'


def _rule(
    name: str, role: str, description: str, *methods: str
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=f'{role} or {base.ADMIN}',
        description=description,
        operations=[
            {'method': method, 'path': path}
            for method in methods
            for path in (_ALL, _ONE)
        ],
        scope_types=['project'],
    )


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        _rule(
            GET,
            base.PROJECT_READER,
            'List the tags of a device context, or look for one.',
            'GET',
        ),
        _rule(
            UPDATE,
            base.PROJECT_MEMBER,
            'Give a device context tags, or take them from it.',
            'PUT',
            'DELETE',
        ),
    ]
