# SPDX-License-Identifier: Apache-2.0

"""Debian packages: the machine's own policy for services is kept."""

import re

import pytest

from tools.cloud import exception
from tools.cloud.machine import installation, packages


@pytest.fixture
def policy(tmp_path, monkeypatch):
    path = tmp_path / 'policy-rc.d'
    others = tmp_path / 'policy-rc.d.before-cloud'
    monkeypatch.setattr(packages, '_POLICY', path)
    monkeypatch.setattr(packages, '_OTHERS_POLICY', others)
    monkeypatch.setattr(packages.os, 'geteuid', lambda: 0)
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

        monkeypatch.setattr(packages, '_missing', lambda _profiles: ['one'])
        monkeypatch.setattr(packages, '_apt', apt)
        packages.require('production')
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
    monkeypatch.setattr(packages, '_missing', lambda _profiles: [])

    packages.require('production')

    assert (policy.read_text() if policy.exists() else None) == own


@pytest.fixture
def bindep(monkeypatch, tmp_path):
    """What bindep prints, and its status."""

    def _bindep(text, status):
        path = tmp_path / 'bindep'
        path.write_text(f'#!/bin/sh\nprintf "{text}"\nexit {status}\n')
        path.chmod(0o755)
        monkeypatch.setattr(packages, '_APT', ('sh',))
        monkeypatch.setattr(
            packages.installation, 'script', lambda _name: str(path)
        )

    return _bindep


@pytest.fixture
def installed(monkeypatch):
    """The packages that apt is to install."""
    found = []
    monkeypatch.setattr(
        packages, '_apt', lambda command, *more: found.extend(more)
    )
    return found


def test_what_is_missing_is_installed(policy, bindep, installed):
    bindep('memcached\\nrabbitmq-server\\n', 1)

    packages.require('production', 'mariadb')

    assert installed[-2:] == ['memcached', 'rabbitmq-server']


def test_nothing_is_missing(policy, bindep, installed):
    bindep('', 0)

    packages.require('production', 'mariadb')

    assert installed == []


def test_a_list_that_cannot_be_read(policy, bindep, installed):
    bindep('', 2)

    with pytest.raises(exception.MissingPackages, match='production mariadb'):
        packages.require('production', 'mariadb')


def test_an_environment_without_bindep(policy, bindep, monkeypatch):
    bindep('', 0)
    monkeypatch.setattr(packages.installation, 'script', lambda _name: '/no')

    with pytest.raises(exception.MissingModules, match='pip install -r'):
        packages.require('production')


def test_somebody_else_than_root(monkeypatch):
    monkeypatch.setattr(packages.os, 'geteuid', lambda: 1000)

    with pytest.raises(exception.NotRoot):
        packages.require('production')


def test_the_list_names_all_profiles_that_are_asked_for():
    text = (installation.ROOT / 'bindep.txt').read_text()

    assert {
        name
        for found in re.findall(r'\[platform:dpkg ([a-z -]+)\]', text)
        for name in found.split()
    } >= {'production', 'mariadb', 'postgresql', 'real-hosts', 'passthrough'}
