# SPDX-License-Identifier: Apache-2.0

"""Policies of device allocations, the part of the API that Nova uses.

Whatever a policy says, a service token is needed besides.
"""

from cyborg.policies import base
from oslo_policy import policy

BASE = 'cyborg:device_allocation:%s'
GET = BASE % 'get'
CHECK = BASE % 'check'
OVERDUE = BASE % 'overdue'
RESERVE = BASE % 'reserve'
BEGIN = BASE % 'begin'
BIND = BASE % 'bind'
ACTIVATE = BASE % 'activate'
UNBIND = BASE % 'unbind'
SETTLE = BASE % 'settle'
RELEASE = BASE % 'release'
ATTACH = BASE % 'attach'
ATTACHED = BASE % 'attached'
DETACH = BASE % 'detach'
UNPLUG = BASE % 'unplug'
DETACHED = BASE % 'detached'
EXPLAIN = BASE % 'explain'

_COLLECTION = '/v2/device_allocations'
_PATH = _COLLECTION + '/{server_id}'
# Nova calls with the token of the user who asked for the operation, or with
# its own when it acts by itself.
_USER_OR_SERVICE = f'{base.PROJECT_MEMBER} or {base.ADMIN} or role:service'


def _rule(
    name: str, description: str, method: str, path: str
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=_USER_OR_SERVICE,
        description=f'{description} A service token is needed, too.',
        operations=[{'method': method, 'path': path}],
        scope_types=['project'],
    )


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        _rule(GET, 'Show the device contexts of a server.', 'GET', _PATH),
        _rule(
            CHECK,
            'Look at the device contexts that a new server is to be given.',
            'POST',
            _COLLECTION + '/check',
        ),
        _rule(
            OVERDUE,
            'List servers of which something has been under way for long.',
            'POST',
            _COLLECTION + '/overdue',
        ),
        _rule(RESERVE, 'Give device contexts to a server.', 'PUT', _PATH),
        _rule(
            BEGIN,
            'Begin to bring a server that holds device contexts to a host.',
            'POST',
            _PATH + '/begin',
        ),
        _rule(
            BIND,
            'Bind the device contexts of a server to devices of a node.',
            'POST',
            _PATH + '/bind',
        ),
        _rule(
            ACTIVATE,
            'Have a server that is moved use the devices of its new node.',
            'POST',
            _PATH + '/activate',
        ),
        _rule(
            UNBIND,
            'Unbind the device contexts of a server; it keeps them.',
            'POST',
            _PATH + '/unbind',
        ),
        _rule(
            SETTLE,
            'Unbind what a server has left that stays where it was moved to.',
            'POST',
            _PATH + '/settle',
        ),
        _rule(
            RELEASE,
            'Take the device contexts of a server back.',
            'DELETE',
            _PATH,
        ),
        _rule(
            ATTACH,
            'Begin to give a device context to a server that exists.',
            'POST',
            _PATH + '/attach',
        ),
        _rule(
            ATTACHED,
            'Say that a server has a device context, or keeps it.',
            'POST',
            _PATH + '/attached',
        ),
        _rule(
            DETACH,
            'Begin to take a device context from a server that exists.',
            'POST',
            _PATH + '/detach',
        ),
        _rule(
            UNPLUG,
            'Unbind what a server has of a device context that is attached or '
            'detached.',
            'POST',
            _PATH + '/unplug',
        ),
        _rule(
            DETACHED,
            'Release a device context of a server that exists.',
            'POST',
            _PATH + '/detached',
        ),
        _rule(
            EXPLAIN,
            'Have it explained, and recorded, why no host was found for a '
            'server.',
            'POST',
            _PATH + '/explain',
        ),
    ]
