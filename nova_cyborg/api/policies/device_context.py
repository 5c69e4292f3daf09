# SPDX-License-Identifier: Apache-2.0

"""Policies of device contexts, in the manner of Cyborg's own."""

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_context:%s'
CREATE = BASE % 'create'
GET_ONE = BASE % 'get_one'
GET_ALL = BASE % 'get_all'
GET_ALL_PROJECTS = BASE % 'get_all_projects'
UPDATE = BASE % 'update'
DELETE = BASE % 'delete'

# Not Cyborg's rules of these names, which let anyone with a role in the
# project pass unless [oslo_policy] enforce_new_defaults is set.
_MEMBER_OR_ADMIN = f'{base.PROJECT_MEMBER} or {base.ADMIN}'
_READER_OR_ADMIN = f'{base.PROJECT_READER} or {base.ADMIN}'

_COLLECTION = '/v2/device_contexts'
_MEMBER = '/v2/device_contexts/{uuid}'


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
    ]
