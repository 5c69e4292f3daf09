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
from cyborg.policies import base
from oslo_policy import policy
from oslo_upgradecheck import common_checks, upgradecheck

from nova_cyborg.api import policies
from nova_cyborg.api.policies import (
    device_allocation,
    device_context,
    device_context_limit,
    device_context_option,
    device_taint,
    reconciler,
)
from nova_cyborg.checks import results

_OURS = {rule.name: rule for rule in policies.list_policies()}
_PREFIXES = tuple(sorted({f'{name.rpartition(":")[0]}:' for name in _OURS}))
_PROJECT = 'project'
_TARGET = {'project_id': _PROJECT, 'user_id': 'user'}
_MEMBER = {
    **_TARGET,
    'roles': ['member', 'reader'],
    'is_admin': False,
}
#: What members can do whom an administrators' policy is given to.
FOR_ADMINS = {
    device_context.GET_ALL_PROJECTS: 'they see the device contexts of other '
    'projects',
    device_context.EXPLAIN_NUMBERS: 'they are told how many hosts of the '
    'cloud have what they ask for',
    device_context_option.GET_NUMBERS: 'they are told how many devices the '
    'cloud has, and how many are free',
    device_context_limit.GET_OTHERS: 'they see what other projects may have, '
    'and have',
    device_taint.CREATE: 'they keep devices from the servers of all projects',
    device_taint.GET_ONE: 'they are told of devices of the cloud, and what is '
    'wrong with them',
    device_taint.GET_ALL: 'they are told of devices of the cloud, and what is '
    'wrong with them',
    device_taint.DELETE: 'they give servers devices that were kept from them',
    reconciler.GET: 'they see what is found wrong in all projects',
}
# Projects may be told nothing of the cloud: the guide for operators says how.
_TELLING = (
    device_context.EXPLAIN,
    device_context_option.GET_ALL,
    device_allocation.EXPLAIN,
)
_KEPT = (base.ADMIN, '!')


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
        if (
            name in _TELLING
            and str(enforcer.file_rules[name].check_str).strip() in _KEPT
        ):
            continue
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
    if name in FOR_ADMINS:
        if not allowed:
            return None
        return results.warning(
            f'The policy file lets members do {name}: {FOR_ADMINS[name]}. '
            'Take it out, or give a role that members have not.'
        )
    if allowed:
        return None
    # Without a reason why, servers are booted all the same.
    if (
        name.startswith(device_allocation.BASE % '')
        and name != device_allocation.EXPLAIN
    ):
        return results.failure(
            f'The policy file does not let members do {name}. Nova calls '
            'with the token of the member who boots the server, and with a '
            'service token besides, which is asked for whatever the policy '
            'says: take it out of the file.'
        )
    is_for_members = base.PROJECT_MEMBER in _OURS[name].check_str
    who = 'members' if is_for_members else 'readers'
    return results.warning(
        f'The policy file does not let {who} of a project do {name}. If '
        'that is not meant, take it out of the file.'
    )
