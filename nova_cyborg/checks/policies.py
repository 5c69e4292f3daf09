# SPDX-License-Identifier: Apache-2.0

"""What the operator's policy file makes of the policies.

Nova calls Cyborg with the token of the member who boots the server. A file
that gives allocations to the service only, which looks right, stops all
boots.
"""

from __future__ import annotations

import collections.abc

from cyborg.common import authorize_wsgi
from cyborg.conf import CONF
from oslo_policy import policy
from oslo_upgradecheck import common_checks, upgradecheck

from nova_cyborg.api import policies
from nova_cyborg.api.policies import (
    device_allocation,
    device_context,
    device_context_tag,
)
from nova_cyborg.checks import results

_PREFIXES = (
    'cyborg:device_context:',
    'cyborg:device_context_tag:',
    'cyborg:device_allocation:',
)
_PROJECT = 'project'
_TARGET = {'project_id': _PROJECT, 'user_id': 'user'}
_MEMBER = {
    **_TARGET,
    'roles': ['member', 'reader'],
    'is_admin': False,
}
_FOR_READERS = (
    device_context.GET_ONE,
    device_context.GET_ALL,
    device_context_tag.GET,
)
_FOR_ADMINS = (device_context.GET_ALL_PROJECTS,)


def check() -> results.Result:
    """Look at the policy file, if there is one."""
    enforcer = authorize_wsgi.get_enforcer()
    policies.register(enforcer)
    enforcer.load_rules()
    json_file = common_checks.check_policy_json(
        upgradecheck.UpgradeCommands(), CONF
    )
    found = [json_file] if json_file.details else []
    return results.worst(
        [*found, *review(enforcer)],
        'No policy keeps members from device contexts.',
    )


def review(
    enforcer: policy.Enforcer,
) -> collections.abc.Iterator[results.Result]:
    """Look for what the operator did not mean.

    :param enforcer: the policies, with the operator's file loaded.
    :returns: what is not well.
    """
    overridden = set(enforcer.file_rules)
    yield from _names(enforcer, overridden)
    ours = sorted(
        name
        for name in overridden & enforcer.registered_rules.keys()
        if name.startswith(_PREFIXES)
    )
    for name in ours:
        allowed = enforcer.enforce(name, _TARGET, _MEMBER)
        result = _judge(name, bool(allowed))
        if result:
            yield result


def _names(
    enforcer: policy.Enforcer, overridden: set[str]
) -> collections.abc.Iterator[results.Result]:
    unknown = sorted(
        name
        for name in overridden - enforcer.registered_rules.keys()
        if name.startswith(_PREFIXES)
    )
    if unknown:
        yield results.warning(
            f'The policy file has {", ".join(unknown)}, which is no policy '
            'and has no effect. See the reference of policies for the names.'
        )
    deprecated = {
        rule.deprecated_rule.name: name
        for name, rule in sorted(enforcer.registered_rules.items())
        if rule.deprecated_rule
        and rule.deprecated_rule.name in overridden
        and rule.deprecated_rule.name != name
    }
    for old, new in deprecated.items():
        yield results.warning(
            f'The policy file has the deprecated name {old}. Write {new}.'
        )


def _judge(name: str, allowed: bool) -> results.Result | None:
    if name in _FOR_ADMINS:
        if not allowed:
            return None
        return results.warning(
            f'The policy file lets members do {name}: they see the device '
            'contexts of other projects. Take it out, or give a role that '
            'members have not.'
        )
    if allowed:
        return None
    if name.startswith(device_allocation.BASE % ''):
        return results.failure(
            f'The policy file does not let members do {name}. Nova calls '
            'with the token of the member who boots the server, and with a '
            'service token besides, which is asked for whatever the policy '
            'says: take it out of the file.'
        )
    who = 'readers' if name in _FOR_READERS else 'members'
    return results.warning(
        f'The policy file does not let {who} of a project do {name}. If '
        'that is not meant, take it out of the file.'
    )
