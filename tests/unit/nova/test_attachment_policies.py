# SPDX-License-Identifier: Apache-2.0

"""Who may attach device contexts to servers, by Nova's policy engine."""

import pytest
from nova import context as nova_context
from nova import exception as nova_exception
from nova import policy
from oslo_config import cfg

from nova_cyborg.nova.api.attachments import policies

_LOOK = {policies.LIST, policies.SHOW}
_CHANGE = {policies.CREATE, policies.DELETE}
_NOTHING: set[str] = set()

# Roles, and the project that the token is of; None for one of the system.
_PERSONAS = {
    'admin': (['admin', 'member', 'reader'], 'another'),
    'member': (['member', 'reader'], 'project'),
    'reader': (['reader'], 'project'),
    'nobody': ([], 'project'),
    'stranger': (['member', 'reader'], 'another'),
    'system-admin': (['admin', 'member', 'reader'], None),
    'system-reader': (['reader'], None),
}
_MAY = {
    'admin': _LOOK | _CHANGE,
    'member': _LOOK | _CHANGE,
    'reader': _LOOK,
    'nobody': _NOTHING,
    'stranger': _NOTHING,
    'system-admin': _NOTHING,
    'system-reader': _NOTHING,
}


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    own = cfg.ConfigOpts()
    own([], project='nova', default_config_files=[], default_config_dirs=[])
    monkeypatch.setattr(policy, 'CONF', own)
    policy.reset()
    policies.install()
    # With scopes and with the new defaults, as Nova has it by default.
    policy.init()
    yield
    policy.reset()


def _context(persona):
    roles, project_id = _PERSONAS[persona]
    scope = {'system_scope': 'all'} if project_id is None else {}
    return nova_context.RequestContext(
        persona, project_id, roles=roles, **scope
    )


@pytest.mark.parametrize('persona', _PERSONAS)
def test_of_a_server_of_the_project(persona):
    context = _context(persona)
    may = set()
    for rule in _LOOK | _CHANGE:
        try:
            context.can(rule, target={'project_id': 'project'})
        except nova_exception.Forbidden:
            continue
        may.add(rule)
    assert may == _MAY[persona]


def test_each_is_documented():
    for rule in policies.list_policies():
        assert rule.description.endswith('.')
        assert rule.operations
        assert rule.scope_types == ['project']
