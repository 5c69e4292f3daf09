# SPDX-License-Identifier: Apache-2.0

"""Policies of attached device contexts, beside those of Nova's own."""

from __future__ import annotations

import collections.abc
import typing as ty

from nova import policy
from nova.policies import base
from oslo_policy import policy as oslo_policy

from nova_cyborg import signatures

ROOT = 'os_compute_api:os-device-contexts:%s'
LIST = ROOT % 'list'
SHOW = ROOT % 'show'
CREATE = ROOT % 'create'
DELETE = ROOT % 'delete'

_COLLECTION = '/servers/{server_id}/os-device-contexts'
_MEMBER = _COLLECTION + '/{device_context_id}'


def _rule(
    name: str, check: str, description: str, method: str, path: str
) -> oslo_policy.DocumentedRuleDefault:
    return oslo_policy.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{'method': method, 'path': path}],
        scope_types=['project'],
    )


def list_policies() -> list[oslo_policy.DocumentedRuleDefault]:
    """Return the rules."""
    return [
        _rule(
            LIST,
            base.PROJECT_READER_OR_ADMIN,
            'List the device contexts of a server.',
            'GET',
            _COLLECTION,
        ),
        _rule(
            SHOW,
            base.PROJECT_READER_OR_ADMIN,
            'Show a device context of a server.',
            'GET',
            _MEMBER,
        ),
        _rule(
            CREATE,
            base.PROJECT_MEMBER_OR_ADMIN,
            'Attach a device context to a server.',
            'POST',
            _COLLECTION,
        ),
        _rule(
            DELETE,
            base.PROJECT_MEMBER_OR_ADMIN,
            'Detach a device context from a server.',
            'DELETE',
            _MEMBER,
        ),
    ]


def install() -> None:
    """Make the rules known to Nova's policy engine; safe to repeat.

    :raises PluginActivationFailed: if this release of Nova makes its engine
        in another way.
    """
    signatures.check_named(policy, {'register_rules': 'enforcer'})
    stock = policy.register_rules
    if hasattr(stock, '__wrapped__'):
        return
    policy.register_rules = _with_ours(stock)
    if policy._ENFORCER is not None:
        _register(policy._ENFORCER)


def _with_ours(
    stock: collections.abc.Callable[[ty.Any], None],
) -> collections.abc.Callable[[ty.Any], None]:
    def register_rules(enforcer: ty.Any) -> None:
        stock(enforcer)
        _register(enforcer)

    register_rules.__wrapped__ = stock  # type: ignore[attr-defined]
    return register_rules


def _register(enforcer: ty.Any) -> None:
    for rule in list_policies():
        if rule.name not in enforcer.registered_rules:
            enforcer.register_default(rule)
