# SPDX-License-Identifier: Apache-2.0

"""What nova-cyborg-status finds with cyborg.conf, on real Cyborg code."""

import pytest
import sqlalchemy as sa
import yaml
from cyborg.common import authorize_wsgi
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import cyborg_side, policies
from nova_cyborg.db.migrations import migration

FACTORY = 'nova_cyborg.api.app:app_factory'
SUCCESS, WARNING, FAILURE = sorted(upgradecheck.Code)


@pytest.fixture
def paste(cloud, tmp_path):
    """Write Cyborg's api-paste.ini."""
    path = tmp_path / 'api-paste.ini'

    def _paste(text):
        path.write_text(text)
        cloud.config.config(group='api', api_paste_config=str(path))
        return path

    return _paste


class TestSchema:
    @pytest.fixture(autouse=True)
    def connection(self, cloud):
        cloud.config.config(group='database', connection=str(cloud.engine.url))

    def test_it_is_there(self, cloud):
        result = cyborg_side.schema()

        assert result.code is SUCCESS
        assert migration.head() in result.details

    def test_it_is_not_there(self, cloud):
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.text(f'DROP TABLE {migration.VERSION_TABLE}')
            )

        result = cyborg_side.schema()

        assert result.code is FAILURE
        assert 'nova-cyborg-manage db upgrade' in result.details


class TestApplicationFactory:
    def test_ours(self, paste):
        path = paste(f'[app:api_v2]\npaste.app_factory = {FACTORY}\n')

        result = cyborg_side.application_factory()

        assert result.code is SUCCESS
        assert str(path) in result.details

    def test_that_of_stock_cyborg(self, paste):
        paste(
            '[app:api_v2]\npaste.app_factory = cyborg.api.app:app_factory\n'
            '[filter:x]\nmemo = %(here)s/%d\n'
        )

        result = cyborg_side.application_factory()

        assert result.code is FAILURE
        assert 'is cyborg.api.app:app_factory' in result.details
        assert FACTORY in result.details

    def test_no_such_section(self, paste):
        paste('')

        assert cyborg_side.application_factory().code is FAILURE

    @pytest.mark.parametrize('name', ['/no/such/file', 'no-such-file'])
    def test_no_such_file(self, cloud, name):
        cloud.config.config(group='api', api_paste_config=name)

        result = cyborg_side.application_factory()

        assert result.code is FAILURE
        assert name in result.details


class TestServiceTokenRoles:
    @pytest.mark.parametrize(
        ('roles', 'code', 'part'),
        [
            (['service'], SUCCESS, 'service'),
            ([], FAILURE, 'is empty'),
            (['service', 'member'], FAILURE, 'people have (member)'),
        ],
    )
    def test_roles(self, cloud, roles, code, part):
        cloud.config.config(
            group='keystone_authtoken', service_token_roles=roles
        )

        result = cyborg_side.service_token_roles()

        assert result.code is code
        assert part in result.details


class TestPolicies:
    @pytest.fixture(autouse=True)
    def enforcer(self, cloud, monkeypatch):
        # One that reads the configuration of the test.
        monkeypatch.setattr(authorize_wsgi, '_ENFORCER', None)

    def test_no_file(self, cloud):
        assert policies.check().code is SUCCESS

    def test_a_file_that_locks_members_out(self, cloud, tmp_path):
        path = tmp_path / 'policy.yaml'
        rules = {'cyborg:device_allocation:reserve': 'role:service'}
        path.write_text(yaml.safe_dump(rules))
        cloud.config.config(group='oslo_policy', policy_file=str(path))

        result = policies.check()

        assert result.code is FAILURE
        assert 'cyborg:device_allocation:reserve' in result.details

    def test_a_file_of_json(self, cloud, tmp_path):
        path = tmp_path / 'policy.json'
        path.write_text('{}')
        cloud.config.config(group='oslo_policy', policy_file=str(path))

        result = policies.check()

        assert result.code is FAILURE
        assert 'JSON' in result.details


class TestServersOfAllProjects:
    def test_an_administrator(self, cloud):
        cloud.nova.boot()

        assert cyborg_side.servers_of_all_projects().code is SUCCESS

    def test_no_administrator(self, cloud):
        cloud.nova.administrator = False

        result = cyborg_side.servers_of_all_projects()

        assert result.code is FAILURE
        assert 'HTTP status 403' in result.details
        assert 'role admin' in result.details

    def test_one_who_may_only_list(self, cloud):
        server_id = cloud.nova.boot()
        cloud.nova.administrator = False
        cloud.nova.may_list = True

        result = cyborg_side.servers_of_all_projects()

        assert result.code is FAILURE
        assert f'lists server {server_id}, and does not show' in result.details

    def test_nova_fails(self, cloud):
        cloud.nova.status_code = 500

        result = cyborg_side.servers_of_all_projects()

        assert result.code is FAILURE
        assert 'HTTP status 500' in result.details


def test_release():
    assert cyborg_side.release().code is SUCCESS
