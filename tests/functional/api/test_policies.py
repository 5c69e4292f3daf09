# SPDX-License-Identifier: Apache-2.0

"""What operators say in their policies; who may do what is in gabbits/."""

import contextlib

from cyborg.common import authorize_wsgi
from oslo_policy import policy as oslo_policy

from nova_cyborg.api.policies import device_context, device_context_option


@contextlib.contextmanager
def forbidden(member, name):
    """Have nobody be allowed what a policy is asked for."""
    # All rules are there with the first request.
    member.list(status=200)
    enforcer = authorize_wsgi.get_enforcer()
    before = dict(enforcer.rules)
    enforcer.set_rules(
        oslo_policy.Rules.from_dict({name: '!'}),
        overwrite=False,
        use_conf=False,
    )
    try:
        yield
    finally:
        enforcer.set_rules(before, use_conf=True)


def test_an_operators_rule_is_obeyed(cloud, member):
    with forbidden(member, device_context.CREATE):
        member.create(resources={'FPGA': 1}, status=403)
        member.list(status=200)


def test_warnings_are_for_whom_may_know_what_there_is(cloud, member):
    wanted = {'resources': {'NONESUCH': 1}, 'status': 201}

    assert member.create(**wanted).json['warnings']
    with forbidden(member, device_context_option.GET_ALL):
        assert member.create(**wanted).json['warnings'] == []
