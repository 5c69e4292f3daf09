# SPDX-License-Identifier: Apache-2.0

"""Policies that the project adds to Cyborg's."""

import itertools

from oslo_policy import policy

from nova_cyborg.api.policies import (
    device_allocation,
    device_context,
    device_context_event,
    device_context_limit,
    device_context_openapi,
    device_context_option,
    device_context_tag,
    device_taint,
    reconciler,
)


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return all rules, for the policy engine and its sample generator."""
    return list(
        itertools.chain(
            device_context.list_policies(),
            device_context_limit.list_policies(),
            device_context_option.list_policies(),
            device_context_tag.list_policies(),
            device_context_event.list_policies(),
            device_allocation.list_policies(),
            device_taint.list_policies(),
            reconciler.list_policies(),
            device_context_openapi.list_policies(),
        )
    )


def register(enforcer: policy.Enforcer) -> None:
    """Make the rules known to Cyborg's policy engine; safe to repeat.

    :param enforcer: the engine.
    """
    for rule in list_policies():
        # The application is made more than once in a process.
        if rule.name not in enforcer.registered_rules:
            enforcer.register_default(rule)
