# SPDX-License-Identifier: Apache-2.0

"""Who may do what: each persona with each policy, by both sets of defaults."""

import pytest
from cyborg.common import authorize_wsgi
from oslo_policy import policy as oslo_policy

from nova_cyborg import model
from nova_cyborg.api.policies import (
    device_allocation,
    device_context,
    device_context_tag,
)
from tests.functional.api import cyborg

# As Keystone has it: admin implies member, and member implies reader.
PERSONAS = {
    'admin': ('admin', 'member', 'reader'),
    'member': ('member', 'reader'),
    'reader': ('reader',),
    'service': ('service',),
    'nobody': ('nonesuch',),
}
PROJECTS = {'own': cyborg.PROJECT, 'other': cyborg.OTHER_PROJECT}

# What a persona is answered in the project that the device context is in,
# and in another one; 403 is for who may not try, 404 for who may not see.
READ = {'admin': (200, 200), 'member': (200, 404), 'reader': (200, 404)}
WRITE = {'admin': (200, 200), 'member': (200, 404)}
DELETE = {'admin': (204, 204), 'member': (204, 404)}
# These work on the project of the token.
CREATE = {'admin': (201, 201), 'member': (201, 201)}
LIST = {'admin': (200, 200), 'member': (200, 200), 'reader': (200, 200)}
LIST_ALL = {'admin': (200, 200)}

CONTEXT_POLICIES = {
    device_context.CREATE: (
        CREATE,
        lambda caller, uuid: caller.create(resources={'FPGA': 1}, status='*'),
    ),
    device_context.GET_ONE: (
        READ,
        lambda caller, uuid: caller.show(uuid, status='*'),
    ),
    device_context.GET_ALL: (
        LIST,
        lambda caller, uuid: caller.list(status='*'),
    ),
    device_context.GET_ALL_PROJECTS: (
        LIST_ALL,
        lambda caller, uuid: caller.list('?all_projects=1', status='*'),
    ),
    device_context.UPDATE: (
        WRITE,
        lambda caller, uuid: caller.update(uuid, name='x', status='*'),
    ),
    device_context.DELETE: (
        DELETE,
        lambda caller, uuid: caller.delete(uuid, status='*'),
    ),
    device_context.EXPLAIN: (
        READ,
        lambda caller, uuid: caller.explain(uuid, status='*'),
    ),
    device_context_tag.GET: (
        READ,
        lambda caller, uuid: caller.tags(uuid, status='*'),
    ),
    device_context_tag.UPDATE: (
        DELETE,
        lambda caller, uuid: caller.delete_path(
            f'/v2/device_contexts/{uuid}/tags', status='*'
        ),
    ),
}

# Nova calls with the user's token or with its own, and a service token.
ALLOCATION_POLICIES = {
    device_allocation.GET: (
        200,
        lambda caller, server, uuid, rp: caller.allocation(server, status='*'),
    ),
    device_allocation.CHECK: (
        200,
        lambda caller, server, uuid, rp: caller.check(uuid, status='*'),
    ),
    device_allocation.OVERDUE: (
        200,
        lambda caller, server, uuid, rp: caller.overdue(status='*'),
    ),
    device_allocation.RESERVE: (
        200,
        lambda caller, server, uuid, rp: caller.reserve(
            server, uuid, status='*'
        ),
    ),
    device_allocation.BEGIN: (
        200,
        lambda caller, server, uuid, rp: caller.begin(server, status='*'),
    ),
    device_allocation.BIND: (
        202,
        lambda caller, server, uuid, rp: caller.bind(
            server, {model.requester_id(uuid, 0): rp}, status='*'
        ),
    ),
    device_allocation.ACTIVATE: (
        404,
        lambda caller, server, uuid, rp: caller.of_migration(
            server, 'activate', cyborg.UNKNOWN, status='*'
        ),
    ),
    device_allocation.SETTLE: (
        204,
        lambda caller, server, uuid, rp: caller.of_migration(
            server, 'settle', cyborg.UNKNOWN, status='*'
        ),
    ),
    device_allocation.UNBIND: (
        204,
        lambda caller, server, uuid, rp: caller.unbind(server, status='*'),
    ),
    device_allocation.RELEASE: (
        204,
        lambda caller, server, uuid, rp: caller.release(server, status='*'),
    ),
    # The server has the device context, and nothing is being done with it.
    device_allocation.ATTACH: (
        409,
        lambda caller, server, uuid, rp: caller.attach(
            server, uuid, status='*'
        ),
    ),
    device_allocation.ATTACHED: (
        204,
        lambda caller, server, uuid, rp: caller.attached(
            server, uuid, caller=None, status='*'
        ),
    ),
    device_allocation.DETACH: (
        200,
        lambda caller, server, uuid, rp: caller.detach(
            server, uuid, status='*'
        ),
    ),
    device_allocation.UNPLUG: (
        409,
        lambda caller, server, uuid, rp: caller.unplug(
            server, uuid, status='*'
        ),
    ),
    device_allocation.DETACHED: (
        409,
        lambda caller, server, uuid, rp: caller.detached(
            server, uuid, status='*'
        ),
    ),
    device_allocation.EXPLAIN: (
        200,
        lambda caller, server, uuid, rp: caller.post(
            f'/v2/device_allocations/{server}/explain',
            {'query': 'resources=VCPU:1'},
            status='*',
        ),
    ),
}


@pytest.fixture(
    scope='module',
    params=[False, True],
    ids=['legacy defaults', 'new defaults'],
)
def cloud(request):
    with cyborg.CyborgFixture(new_defaults=request.param) as fixture:
        yield fixture


def test_every_policy_is_tested():
    modules = (device_context, device_context_tag, device_allocation)
    rules = [rule for each in modules for rule in each.list_policies()]

    assert {rule.name for rule in rules} == {
        # In test_explanations.
        device_context.EXPLAIN_NUMBERS,
        *CONTEXT_POLICIES,
        *ALLOCATION_POLICIES,
    }


@pytest.mark.parametrize('project', PROJECTS)
@pytest.mark.parametrize('persona', PERSONAS)
@pytest.mark.parametrize('policy', CONTEXT_POLICIES)
def test_device_contexts(cloud, placement, member, policy, persona, project):
    answers, call = CONTEXT_POLICIES[policy]
    own, other = answers.get(persona, (403, 403))
    uuid = member.create_one()
    caller = cyborg.Caller(cloud.api, PROJECTS[project], PERSONAS[persona])

    response = call(caller, uuid)

    assert response.status_int == (own if project == 'own' else other)
    if response.status_int == 403:
        error = cyborg.error_of(response)
        assert error['code'] == 'nova_cyborg.forbidden'
        # The list of all projects is a list at first.
        assert policy.removesuffix('_projects') in error['detail']


@pytest.mark.parametrize('service', [True, False])
@pytest.mark.parametrize('persona', PERSONAS)
@pytest.mark.parametrize('policy', ALLOCATION_POLICIES)
def test_device_allocations(cloud, placement, boot, policy, persona, service):
    answer, call = ALLOCATION_POLICIES[policy]
    server_id, uuid = boot()
    caller = cyborg.Caller(cloud.api, roles=PERSONAS[persona], service=service)

    response = call(caller, server_id, uuid, cloud.add_device())

    if persona not in ('admin', 'member', 'service'):
        assert response.status_int == 403
        assert policy in cyborg.error_of(response)['detail']
    elif not service:
        assert cyborg.error_of(response)['code'] == (
            'nova_cyborg.service_token_required'
        )
    else:
        assert response.status_int == answer


def test_an_operators_rule_is_obeyed(cloud, member):
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
