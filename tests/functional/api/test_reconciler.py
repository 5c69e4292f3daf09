# SPDX-License-Identifier: Apache-2.0

"""What administrators are told of what puts itself right."""

import pytest
import sqlalchemy as sa
from oslo_upgradecheck import upgradecheck

from nova_cyborg.checks import reconciling
from nova_cyborg.db import session, tables
from tests.functional.reconciler.conftest import Reconciler

SUCCESS = upgradecheck.Code.SUCCESS
WARNING = upgradecheck.Code.WARNING
NEVER = {
    'host': None,
    'active': False,
    'last_good_round': None,
    'interval': None,
    'oldest_suspect': None,
    'found': {},
    'repaired': {},
    'failed': {},
    'builds_host': None,
    'builds_active': False,
}


def show(caller, query='', status=None):
    answer = caller.call('get', f'/v2/reconciler{query}', status=status)
    return answer.json


@pytest.fixture
def named(monkeypatch, cloud):
    """As if cyborg.conf named the database."""
    monkeypatch.setattr(session, 'named_engine', session.engine)


def test_nobody_has_ever_begun(admin, named):
    assert show(admin) == {'reconciler': NEVER}
    assert reconciling.check().code == WARNING


def test_one_has(cloud, admin, boot, placement):
    server_id, _context_id = boot()
    cloud.nova.delete(server_id)
    Reconciler('controller1').tick(2)

    found = show(admin)['reconciler']

    assert found.pop('last_good_round') in range(10)
    assert found == {
        'host': 'controller1',
        'active': True,
        'interval': 10,
        'oldest_suspect': None,
        'found': {'held-by-no-server': 1},
        'repaired': {'held-by-no-server': 1},
        'failed': {},
        'builds_host': None,
        'builds_active': False,
    }


def test_a_nova_conductor_ends_interrupted_builds(cloud, admin, nova, named):
    # As one asks that does.
    nova.overdue(host='controller2')

    found = show(admin)['reconciler']

    assert (found['builds_host'], found['builds_active']) == (
        'controller2',
        True,
    )
    with cloud.engine.begin() as connection:
        connection.execute(sa.update(tables.Lease).values(expires_at=0))
    assert show(admin)['reconciler']['builds_active'] is False


class TestStatus:
    @pytest.fixture(autouse=True)
    def _begun(self, cloud, placement, named):
        self.cloud = cloud
        Reconciler('controller1').tick()

    def change(self, **values):
        with self.cloud.engine.begin() as connection:
            connection.execute(sa.update(tables.Lease).values(**values))

    def test_all_is_well(self):
        result = reconciling.check()

        assert result.code is SUCCESS
        assert 'controller1' in result.details

    def test_who_ends_interrupted_builds(self, nova):
        assert 'No nova-conductor ends' in reconciling.check().details

        nova.overdue(host='controller2')

        assert 'nova-conductor on controller2 ends' in (
            reconciling.check().details
        )

    def test_it_has_stopped(self, admin):
        self.change(expires_at=0)

        result = reconciling.check()

        assert result.code is WARNING
        assert 'reconcile_interval' in result.details
        assert show(admin)['reconciler']['active'] is False

    def test_its_host_is_restarted_and_the_next_one_is_due(self, admin):
        """The next one takes it within its interval, which is 10 s."""
        self.change(expires_at=sa.func.unixepoch() - 10)

        assert reconciling.check().code is SUCCESS
        assert show(admin)['reconciler']['active'] is True

    @pytest.mark.parametrize('good_at', [None, 0])
    def test_nova_does_not_answer(self, good_at):
        self.change(good_at=good_at)

        result = reconciling.check()

        assert result.code is WARNING
        assert 'no round' in result.details

    def test_something_cannot_be_put_right(self):
        self.change(
            report='{"oldest_suspect": 7200, "failed": {"arqs-of-no-server": '
            '4}}'
        )

        result = reconciling.check()

        assert result.code is WARNING
        assert 'arqs-of-no-server' in result.details
