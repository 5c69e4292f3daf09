# SPDX-License-Identifier: Apache-2.0

"""Policies of device contexts, in the manner of Cyborg's own."""

from __future__ import annotations

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_context:%s'
CREATE = BASE % 'create'
GET_ONE = BASE % 'get_one'
GET_ALL = BASE % 'get_all'
GET_ALL_PROJECTS = BASE % 'get_all_projects'
UPDATE = BASE % 'update'
DELETE = BASE % 'delete'
EXPLAIN = BASE % 'explain'
EXPLAIN_NUMBERS = BASE % 'explain_numbers'

# Not Cyborg's rules of these names, which let anyone with a role in the
# project pass unless [oslo_policy] enforce_new_defaults is set.
_MEMBER_OR_ADMIN = f'{base.PROJECT_MEMBER} or {base.ADMIN}'
_READER_OR_ADMIN = f'{base.PROJECT_READER} or {base.ADMIN}'

_COLLECTION = '/v2/device_contexts'
_MEMBER = '/v2/device_contexts/{uuid}'
# A type of oslo.policy 5.0, which older releases of OpenStack do not have.
_EXPLAIN: list[policy.Operation] = [
    {'method': 'POST', 'path': f'{path}/explain'}
    for path in (_COLLECTION, _MEMBER)
]


def _rule(
    name: str, check: str, description: str, method: str, path: str
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{'method': method, 'path': path}],
        scope_types=['project'],
    )


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        _rule(
            CREATE,
            _MEMBER_OR_ADMIN,
            'Create a device context.',
            'POST',
            _COLLECTION,
        ),
        _rule(
            GET_ONE,
            _READER_OR_ADMIN,
            'Show a device context. Only administrators see those of other '
            'projects.',
            'GET',
            _MEMBER,
        ),
        _rule(
            GET_ALL,
            _READER_OR_ADMIN,
            'List the device contexts of the project.',
            'GET',
            _COLLECTION,
        ),
        _rule(
            GET_ALL_PROJECTS,
            base.ADMIN,
            'List the device contexts of all projects.',
            'GET',
            _COLLECTION + '?all_projects=true',
        ),
        _rule(
            UPDATE,
            _MEMBER_OR_ADMIN,
            'Change the name, the description, delete_on_termination, '
            'live_migration or the tag of a device context.',
            'PATCH',
            _MEMBER,
        ),
        _rule(
            DELETE,
            _MEMBER_OR_ADMIN,
            'Delete a device context.',
            'DELETE',
            _MEMBER,
        ),
        policy.DocumentedRuleDefault(
            name=EXPLAIN,
            check_str=_READER_OR_ADMIN,
            description='Be told, in words, why no host has what a device '
            'context asks for.',
            operations=_EXPLAIN,
            scope_types=['project'],
        ),
        policy.DocumentedRuleDefault(
            name=EXPLAIN_NUMBERS,
            check_str=base.ADMIN,
            description='Be told, too, how many hosts each requirement of it '
            'leaves.',
            operations=_EXPLAIN,
            scope_types=['project'],
        ),
    ]
