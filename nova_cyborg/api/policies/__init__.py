# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Policies that the project adds to Cyborg's."""

import itertools

from oslo_policy import policy

from nova_cyborg.api.policies import device_allocation, device_context


def list_policies() -> list[policy.DocumentedRuleDefault]:
    """Return all rules, for the policy engine and its sample generator."""
    return list(
        itertools.chain(
            device_context.list_policies(),
            device_allocation.list_policies(),
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
