# SPDX-License-Identifier: Apache-2.0

"""Debian packages: the machine's own policy for services is kept."""

import pytest

from tools.cloud.machine import packages


@pytest.fixture
def policy(tmp_path, monkeypatch):
    path = tmp_path / 'policy-rc.d'
    others = tmp_path / 'policy-rc.d.before-cloud'
    monkeypatch.setattr(packages, '_POLICY', path)
    monkeypatch.setattr(packages, '_OTHERS_POLICY', others)
    return path


@pytest.fixture
def install(monkeypatch):
    """Install a package; returns what the policy says meanwhile."""

    def _install(policy, fails=False):
        seen = []

        def apt(*_arguments):
            seen.append(policy.read_text())
            if fails:
                raise KeyboardInterrupt

        monkeypatch.setattr(packages, '_is_installed', lambda _name: False)
        monkeypatch.setattr(packages, '_apt', apt)
        packages.install(['memcached'])
        return seen

    return _install


def test_services_stay_down_meanwhile(policy, install):
    assert all('exit 101' in each for each in install(policy))
    assert not policy.exists()


def test_the_machines_own_policy_is_put_back(policy, install):
    policy.write_text('mine')

    assert 'mine' not in install(policy)
    assert policy.read_text() == 'mine'


def test_it_is_put_back_if_that_fails(policy, install):
    policy.write_text('mine')

    with pytest.raises(KeyboardInterrupt):
        install(policy, fails=True)

    assert policy.read_text() == 'mine'


@pytest.mark.parametrize('own', [None, 'mine'])
def test_a_run_that_was_killed(policy, install, monkeypatch, own):
    if own:
        policy.write_text(own)
    # It gets no further, ever.
    packages._services_stay_down().gen.send(None)
    monkeypatch.setattr(packages, '_is_installed', lambda _name: True)

    packages.install(['memcached'])

    assert (policy.read_text() if policy.exists() else None) == own
