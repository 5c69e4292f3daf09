# SPDX-License-Identifier: Apache-2.0

"""What is wrong with an operator's policy file."""

import pytest
import yaml
from cyborg.policies import base
from oslo_config import cfg
from oslo_policy import policy

from nova_cyborg.api import policies as ours
from nova_cyborg.checks import policies


@pytest.fixture
def review(tmp_path):
    """Review a policy file; returns codes and sentences."""

    def _review(**rules):
        path = tmp_path / 'policy.yaml'
        path.write_text(yaml.safe_dump(rules))
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        enforcer = policy.Enforcer(conf, policy_file=str(path))
        enforcer.suppress_deprecation_warnings = True
        enforcer.register_default(
            policy.RuleDefault(
                'cyborg:example:new',
                '@',
                deprecated_rule=policy.DeprecatedRule(
                    'cyborg:example:old',
                    '@',
                    deprecated_reason='It has a new name.',
                    deprecated_since='1',
                ),
            )
        )
        # The rules that ours name.
        enforcer.register_defaults(base.list_policies())
        ours.register(enforcer)
        ours.register(enforcer)
        enforcer.load_rules()
        return [
            (result.code.name, result.details)
            for result in policies.review(enforcer)
        ]

    return _review


def test_a_file_of_other_policies_is_all_right(review):
    assert not review(**{'cyborg:arq:create': 'role:admin'})


def test_a_file_that_changes_nothing_for_members(review):
    assert not review(
        **{
            'cyborg:device_context:create': 'role:member',
            'cyborg:device_allocation:bind': '@',
        }
    )


@pytest.mark.parametrize(
    'action', ['get', 'reserve', 'bind', 'unbind', 'release']
)
def test_members_must_be_allowed_allocations(review, action):
    name = f'cyborg:device_allocation:{action}'

    [(code, details)] = review(**{name: 'role:service'})

    assert code == 'FAILURE'
    assert name in details


def test_members_need_not_be_allowed_contexts(review):
    name = 'cyborg:device_context:create'

    [(code, details)] = review(**{name: 'role:fpga'})

    assert code == 'WARNING'
    assert f'does not let members of a project do {name}' in details


@pytest.mark.parametrize(
    'name',
    [
        'cyborg:device_context:get_one',
        'cyborg:device_context:get_all',
        'cyborg:device_context_event:get_all',
        'cyborg:device_context_limit:get_all',
        'cyborg:device_context_openapi:get',
        'cyborg:device_context_tag:get',
    ],
)
def test_readers_are_named_where_it_concerns_them(review, name):
    [(_code, details)] = review(**{name: '!'})

    assert 'does not let readers of a project' in details


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('device_context:get_all_projects', 'contexts of other projects'),
        ('device_context:explain_numbers', 'how many hosts'),
        ('device_context_option:get_numbers', 'how many devices'),
        ('device_context_limit:get_others', 'what other projects may have'),
        ('device_taint:create', 'keep devices from the servers'),
        ('device_taint:get_one', 'devices of the cloud'),
        ('device_taint:get_all', 'devices of the cloud'),
        ('device_taint:delete', 'that were kept from them'),
        ('reconciler:get', 'in all projects'),
    ],
)
def test_what_members_must_not_do(review, name, said):
    name = f'cyborg:{name}'

    [(code, details)] = review(**{name: '@'})

    assert code == 'WARNING'
    assert f'lets members do {name}: ' in details
    assert said in details
    assert not review(**{name: 'role:auditor'})
    # As it is without a file.
    assert not review(**{name: 'rule:admin_api'})


def test_a_file_of_all_that_is_so_without_it(review):
    rules = {rule.name: rule.check_str for rule in ours.list_policies()}

    assert not review(**rules)
    assert set(policies.FOR_ADMINS) == {
        name for name, check in rules.items() if check == 'rule:admin_api'
    }


@pytest.mark.parametrize('rule', ['rule:admin_api', '!'])
def test_projects_may_be_told_nothing_of_the_cloud(review, rule):
    assert not review(
        **{
            'cyborg:device_context:explain': rule,
            'cyborg:device_context_option:get_all': rule,
            'cyborg:device_allocation:explain': rule,
        }
    )


@pytest.mark.parametrize(
    ('name', 'who'),
    [
        ('device_context:explain', 'readers'),
        ('device_context_option:get_all', 'readers'),
        ('device_allocation:explain', 'members'),
    ],
)
def test_some_may_be_told_more_than_others(review, name, who):
    name = f'cyborg:{name}'

    [(code, details)] = review(**{name: 'role:fpga'})

    # Servers are booted without that.
    assert code == 'WARNING'
    assert f'does not let {who} of a project do {name}' in details


@pytest.mark.parametrize(
    'name',
    [
        'device_context:craete',
        'device_context_event:list',
        'device_context_limit:get',
        'device_context_openapi:get_all',
        'device_context_option:list',
        'device_context_tag:delete',
        'device_allocation:list',
        'device_taint:update',
        'reconciler:get_one',
    ],
)
def test_a_name_that_there_is_not(review, name):
    [(code, details)] = review(**{f'cyborg:{name}': '@'})

    assert code == 'WARNING'
    assert f'cyborg:{name}, which is no policy' in details


def test_a_deprecated_name(review):
    [(code, details)] = review(**{'cyborg:example:old': '@'})

    assert code == 'WARNING'
    assert 'cyborg:example:old' in details
    assert 'Write cyborg:example:new' in details
