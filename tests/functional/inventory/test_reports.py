# SPDX-License-Identifier: Apache-2.0

"""Reports of one host that several conductors take, at once or in turn."""

import contextlib
import threading

import pytest
import sqlalchemy as sa
from cyborg import objects
from cyborg.common import exception as cyborg_exception
from cyborg.db.sqlalchemy import models

from nova_cyborg.cyborg.conductor import comparison
from nova_cyborg.db import tables
from nova_cyborg.db.inventory import reports, twins
from tests.functional.inventory.entries import GZIP, card, gzip

CARD = '0000:72:00.0'
ONE, TWO, THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))
YPU = 'CUSTOM_YPU'
HOST = 'compute1'


class Killed(BaseException):
    """cyborg-conductor is killed; nothing of its code sees that."""


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents of all hosts."""


@pytest.fixture
def paused(monkeypatch):
    """Have the first device that is compared wait until it is let go."""
    reached, let_go = threading.Event(), threading.Event()
    make_diff = comparison.Comparison.drv_device_make_diff

    def wait(self, *args):
        if not reached.is_set():
            reached.set()
            assert let_go.wait(60)
        return make_diff(self, *args)

    monkeypatch.setattr(comparison.Comparison, 'drv_device_make_diff', wait)
    yield reached, let_go
    let_go.set()


@contextlib.contextmanager
def killed_after(cloud, statements):
    """Have the conductor killed at a statement, and do nothing after it."""

    def count(*_args):
        nonlocal statements
        statements -= 1
        if statements <= 0:
            raise Killed

    sa.event.listen(cloud.engine, 'before_cursor_execute', count)
    try:
        yield
    except Killed:
        pass
    finally:
        sa.event.remove(cloud.engine, 'before_cursor_execute', count)


def names(cloud):
    return sorted(row['name'] for row in cloud.records()['deployables'])


def is_recorded_once(cloud, *addresses):
    assert names(cloud) == sorted(f'{HOST}_{each}' for each in addresses)
    records = cloud.records()
    assert len(records['devices']) == len(addresses)
    assert len(records['controlpath_ids']) == len(addresses)


@pytest.mark.parametrize('first', [0, 1])
def test_a_report_that_comes_while_another_is_recorded_is_left_out(
    cloud, caplog, paused, first
):
    reached, let_go = paused
    clouds = [cloud, cloud.another()]
    one, two = clouds[first], clouds[1 - first]
    agent = cloud.start()
    cloud.devices_file.write(card(ONE, TWO), gzip())
    thread = threading.Thread(target=one.report, args=[agent])
    thread.start()
    assert reached.wait(60)

    with caplog.at_level('INFO'):
        two.report(agent)

    assert 'A report of host compute1 is left out' in caplog.text
    assert names(cloud) == []
    let_go.set()
    thread.join(60)
    is_recorded_once(cloud, CARD, GZIP)
    two.report(agent)
    is_recorded_once(cloud, CARD, GZIP)
    assert cloud.offered(f'{HOST}_{CARD}') == 2


def test_reports_at_once_make_each_row_once(cloud):
    agent = cloud.start()
    addresses = [f'0000:{number}:00.0' for number in range(10, 22)]
    start = threading.Barrier(2)

    def report(one):
        start.wait(60)
        one.report(agent)

    for count in range(1, len(addresses)):
        cloud.devices_file.write(
            *(gzip(address=each) for each in addresses[:count])
        )
        threads = [
            threading.Thread(target=report, args=[one])
            for one in (cloud, cloud.another())
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        is_recorded_once(cloud, *addresses[:count])


@pytest.mark.parametrize('statements', range(1, 60, 4))
def test_a_conductor_is_killed(cloud, clock, statements):
    agent = cloud.start(card(ONE))
    cloud.devices_file.write(card(ONE, TWO, THREE), gzip())
    with killed_after(cloud, statements):
        cloud.report(agent)
    other = cloud.another()

    clock.advance_time_seconds(reports.LEASE + 1)
    other.report(agent)
    other.report(agent)

    is_recorded_once(cloud, CARD, GZIP)
    assert cloud.offered(f'{HOST}_{CARD}') == 3
    assert cloud.offered(f'{HOST}_{GZIP}') == 1


def test_a_killed_conductor_keeps_its_lease(cloud, clock):
    agent = cloud.start()
    claim = reports.claim(cloud.context, HOST)
    assert claim is not None
    cloud.devices_file.write(gzip())

    clock.advance_time_seconds(reports.LEASE - 1)
    cloud.report(agent)
    assert names(cloud) == []

    clock.advance_time_seconds(2)
    cloud.report(agent)
    is_recorded_once(cloud, GZIP)
    assert not reports.renew(cloud.context, claim)


def test_a_lease_is_that_of_one_host(cloud):
    agent = cloud.start()
    assert reports.claim(cloud.context, 'compute2') is not None

    cloud.devices_file.write(gzip())
    cloud.report(agent)

    is_recorded_once(cloud, GZIP)


def test_nothing_is_recorded_after_the_lease(cloud, clock, caplog, paused):
    reached, let_go = paused
    agent = cloud.start()
    cloud.devices_file.write(gzip(address='0000:0d:00.0'), card(ONE, TWO))
    thread = threading.Thread(target=cloud.report, args=[agent])
    thread.start()
    assert reached.wait(60)

    clock.advance_time_seconds(reports.LEASE + 1)
    cloud.devices_file.write(gzip(address='0000:0d:00.0'))
    cloud.another().report(agent)
    let_go.set()
    thread.join(60)

    assert 'another one is recorded now' in caplog.text
    assert f'{HOST}_{CARD}' not in names(cloud)


def test_the_lease_ends_with_the_report(cloud, clock):
    agent = cloud.start(gzip())

    with cloud.engine.connect() as connection:
        assert connection.execute(sa.select(tables.HostReport)).all() == []
    cloud.devices_file.write(gzip(), card(ONE))
    cloud.another().report(agent)
    is_recorded_once(cloud, CARD, GZIP)


def test_a_host_that_placement_does_not_know_has_no_lease(cloud, monkeypatch):
    agent = cloud.start()
    cloud.devices_file.write(gzip())

    def unknown(*_args):
        raise cyborg_exception.PlacementResourceProviderNotFound(
            resource_provider=HOST
        )

    monkeypatch.setattr(cloud.conductor, '_get_root_provider', unknown)
    with pytest.raises(cyborg_exception.PlacementResourceProviderNotFound):
        cloud.report(agent)
    cloud.another().report(agent)

    is_recorded_once(cloud, GZIP)


def test_another_conductor_tells_placement_what_one_could_not(
    cloud, monkeypatch
):
    agent = cloud.start(card(ONE))
    client = cloud.conductor.placement_client

    def fail(*_args, **_kwargs):
        raise cyborg_exception.PlacementServerError('It is down.')

    monkeypatch.setattr(client, 'put', fail)
    cloud.devices_file.write(card(ONE, TWO))
    cloud.report(agent)
    assert cloud.offered(f'{HOST}_{CARD}') == 1

    cloud.another().report(agent)

    assert cloud.offered(f'{HOST}_{CARD}') == 2


@pytest.mark.parametrize('known', [False, True])
def test_a_lost_provider_is_made_again_by_any_conductor(cloud, known):
    agent = cloud.start(card(ONE, TWO))
    uuid = cloud.deployable(CARD).rp_uuid
    if not known:
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(models.Deployable).values(rp_uuid=None)
            )
    cloud.placement(f'/resource_providers/{uuid}', 'DELETE')

    cloud.another().report(agent)

    assert cloud.deployable(CARD).rp_uuid == uuid
    assert cloud.offered(f'{HOST}_{CARD}') == 2


class TestTwins:
    """What conductors without the plugin have recorded twice."""

    def _again(self, cloud, agent):
        """Record the first device once more."""
        agent.discover()[0].create(cloud.context, HOST)

    def _take_of(self, cloud, number):
        """Have a server take a slot of one of the deployables."""
        found = objects.Deployable.list(cloud.context, {})
        found.sort(key=lambda each: each.id)
        name, uuid = f'{HOST}_{CARD}', found[0].rp_uuid
        table = models.Deployable
        # Stock Cyborg finds none where there are two.
        hide = sa.update(table).values(name='hidden', rp_uuid='hidden')
        show = sa.update(table).values(name=name, rp_uuid=uuid)
        with cloud.engine.begin() as connection:
            connection.execute(hide)
            connection.execute(show.where(table.id == found[number].id))
        request = cloud.boot(CARD, YPU)
        with cloud.engine.begin() as connection:
            connection.execute(show)
        return request

    def test_one_is_removed(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        self._again(cloud, agent)
        self._again(cloud, agent)

        cloud.report(agent)

        is_recorded_once(cloud, CARD)
        assert cloud.slots(CARD) == {ONE, TWO}
        assert cloud.offered(f'{HOST}_{CARD}') == 2

    @pytest.mark.parametrize('number', [0, 1])
    def test_that_which_a_server_has_stays(self, cloud, number):
        agent = cloud.start(card(ONE, TWO))
        self._again(cloud, agent)
        request = self._take_of(cloud, number)
        before = cloud.place_of(request)

        cloud.report(agent)

        is_recorded_once(cloud, CARD)
        assert cloud.place_of(request) == before
        assert len(cloud.slots(CARD)) == 2

    def test_that_which_is_disabled_stays(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        self._again(cloud, agent)
        last = max(cloud.records()['devices'], key=lambda row: row['id'])
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(models.Device)
                .where(models.Device.id == last['id'])
                .values(status='maintaining')
            )

        cloud.report(agent)

        (device,) = cloud.records()['devices']
        assert device['status'] == 'maintaining'
        assert cloud.offered(f'{HOST}_{CARD}') == 0

    def test_that_which_is_to_be_cleaned_stays(self, cloud):
        cleaned = {'cleaning': {'program': ['/bin/true']}}
        agent = cloud.start(card(ONE, **cleaned))
        self._again(cloud, agent)
        cloud.delete(self._take_of(cloud, 1))

        cloud.report(agent)

        is_recorded_once(cloud, CARD)
        # It would be given as it is else.
        assert cloud.offered(f'{HOST}_{CARD}') == 0
        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(CARD, YPU)

    def test_both_stay_that_servers_have(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        self._again(cloud, agent)
        requests = [self._take_of(cloud, number) for number in (0, 1)]
        before = [cloud.place_of(request) for request in requests]
        assert len(set(before)) == 2

        cloud.report(agent)

        assert [cloud.place_of(request) for request in requests] == before
        assert len(cloud.records()['deployables']) == 2
        (twin,) = twins.find(cloud.context)
        assert twin.hostnames == (HOST,)
        assert set(twin.server_ids) == {
            request.arq.instance_uuid for request in requests
        }

        cloud.delete(requests[0])
        cloud.report(agent)

        is_recorded_once(cloud, CARD)
        assert cloud.place_of(requests[1]) == before[1]
        assert twins.find(cloud.context) == []

    def test_deployables_of_one_device(self, cloud):
        agent = cloud.start(card(ONE, TWO))
        (device,) = cloud.records()['devices']
        (path,) = cloud.records()['controlpath_ids']
        agent.discover()[0].deployable_list[0].create(
            cloud.context, device['id'], path['id']
        )

        cloud.report(agent)

        is_recorded_once(cloud, CARD)
        assert cloud.slots(CARD) == {ONE, TWO}
