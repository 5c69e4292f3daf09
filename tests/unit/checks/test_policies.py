# SPDX-License-Identifier: Apache-2.0

"""What is wrong with an operator's policy file."""

import pytest
import yaml
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
    'name', ['cyborg:device_context:get_all', 'cyborg:device_context_tag:get']
)
def test_readers_are_named_where_it_concerns_them(review, name):
    [(_code, details)] = review(**{name: '!'})

    assert 'does not let readers of a project' in details


def test_members_must_not_see_all_projects(review):
    name = 'cyborg:device_context:get_all_projects'

    [(code, details)] = review(**{name: '@'})

    assert code == 'WARNING'
    assert 'other projects' in details
    assert not review(**{name: 'role:auditor'})


def test_a_name_that_there_is_not(review):
    [(code, details)] = review(**{'cyborg:device_context:craete': '@'})

    assert code == 'WARNING'
    assert 'cyborg:device_context:craete' in details


def test_a_deprecated_name(review):
    [(code, details)] = review(**{'cyborg:example:old': '@'})

    assert code == 'WARNING'
    assert 'cyborg:example:old' in details
    assert 'Write cyborg:example:new' in details
