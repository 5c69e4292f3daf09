# SPDX-License-Identifier: Apache-2.0

"""What operators say in their policies; who may do what is in gabbits/."""

from cyborg.common import authorize_wsgi
from oslo_policy import policy as oslo_policy

from nova_cyborg.api.policies import device_context


def test_an_operators_rule_is_obeyed(cloud, member):
    # All rules are there with the first request.
    member.list(status=200)
    enforcer = authorize_wsgi.get_enforcer()
    rule = {device_context.CREATE: '!'}
    before = dict(enforcer.rules)
    enforcer.set_rules(
        oslo_policy.Rules.from_dict(rule), overwrite=False, use_conf=False
    )

    try:
        member.create(resources={'FPGA': 1}, status=403)
        member.list(status=200)
    finally:
        enforcer.set_rules(before, use_conf=True)
