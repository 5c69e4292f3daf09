# SPDX-License-Identifier: Apache-2.0

"""What ``nova-cyborg-exporter`` serves to Prometheus."""

import json
import pathlib
import re

import prometheus_client
import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from prometheus_client import parser

from nova_cyborg import model
from nova_cyborg.cmd import exporter
from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import outages, taints
from nova_cyborg.db.metrics import counts
from nova_cyborg.lifecycle.events import counting
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

DOCS = pathlib.Path(__file__).parents[3] / 'doc/source/reference'
STATEMENTS = 3


def scrape():
    """Return all samples: value by name and labels."""
    collected = prometheus_client.CollectorRegistry()
    collected.register(exporter.Collector())
    text = prometheus_client.generate_latest(collected).decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels):
    return found[(f'nova_cyborg_{name}', *sorted(labels.items()))]


def statuses(found):
    return {
        dict(labels)['status']: count
        for (name, *labels), count in found.items()
        if name == 'nova_cyborg_device_contexts' and count
    }


def slots(found, host='compute1', resource_class='FPGA'):
    return tuple(
        value(
            found,
            'slots',
            host=host,
            resource_class=resource_class,
            state=state,
        )
        for state in ('free', 'used', 'drained')
    )


@pytest.fixture
def counted(cloud):
    """Has things counted in this process, and added when a test says so."""
    counting.start(3600)
    yield counting.flush
    counting._counter._found.clear()
    counting.start(0)


def test_contexts_by_status(cloud, member, nova, boot):
    assert statuses(scrape()) == {}
    boot(cloud.add_device())
    boot()
    boot()
    member.create_one()
    failing = member.create_one()
    server_id = cloud.nova.boot()
    nova.reserve(server_id, failing)
    nova.bind(server_id, providers(cyborg.UNKNOWN, failing))
    wait_for_status(member, failing, 'error')
    server_id, _uuid = boot(cloud.add_device())
    nova.attach(server_id, member.create_one())

    found = scrape()

    assert statuses(found) == {
        'available': 1,
        'reserved': 2,
        'bound': 2,
        'error': 1,
        'attaching': 1,
    }
    listed = member.list().json['device_contexts']
    assert sum(statuses(found).values()) == len(listed)
    assert value(found, 'up') == 1


class TestSlots:
    def test_free_and_used_by_class_and_host(self, cloud, boot):
        boot(cloud.add_device(slots=4))
        cloud.add_device(slots=2, host='compute2')
        cloud.add_device(slots=3, host='compute2', resource_class='PGPU')

        found = scrape()

        assert slots(found) == (3, 1, 0)
        assert slots(found, 'compute2') == (2, 0, 0)
        assert slots(found, 'compute2', 'PGPU') == (3, 0, 0)

    def test_mediated_devices_are_one_by_one(self, cloud):
        uuids = [f'0000c0{n}0-0000-4000-8000-000000000000' for n in range(3)]
        cloud.database.add_device(uuids, 'MDEV', resource_class='VGPU')

        assert slots(scrape(), resource_class='VGPU') == (3, 0, 0)

    def test_a_device_that_is_disabled(self, cloud, boot):
        provider = cloud.add_device(slots=3)
        boot(provider)
        with session.writing(cyborg_context.get_admin_context()) as db:
            db.execute(sa.update(models.Device).values(status='maintaining'))

        assert slots(scrape()) == (0, 1, 2)

    @pytest.mark.parametrize('source', [taints.OPERATOR, taints.AGENT])
    def test_a_device_that_is_tainted(self, cloud, source):
        cloud.add_device(slots=3)
        with session.writing(cyborg_context.get_admin_context()) as db:
            db.add(
                tables.DeviceTaint(
                    uuid=cyborg.UNKNOWN,
                    device_uuid=db.scalar(sa.select(models.Device.uuid)),
                    key='ecc-errors',
                    reason='It is old.',
                    source=source,
                )
            )

        assert slots(scrape()) == (0, 0, 3)

    def test_slots_that_are_not_given(self, cloud):
        cloud.database.set_missing(cloud.add_device(slots=2))
        cloud.add_device(slots=1)

        assert slots(scrape()) == (1, 0, 2)

    def test_one_that_is_to_be_cleaned(self, cloud):
        cloud.add_device(slots=2)
        context = cyborg_context.get_admin_context()
        with session.reading(context) as db:
            uuid = db.scalar(sa.select(models.AttachHandle.uuid).limit(1))
        outages.begin(context, [uuid], outages.CLEANING)

        assert slots(scrape()) == (1, 0, 1)

    def test_one_that_is_recorded_twice(self, cloud, boot):
        provider = cloud.add_device(slots=2)
        boot(provider)
        with session.writing(cyborg_context.get_admin_context()) as db:
            # As two conductors do that take one report at a time.
            for handle in db.scalars(sa.select(models.AttachHandle)).all():
                db.add(
                    models.AttachHandle(
                        uuid=handle.uuid[::-1],
                        deployable_id=handle.deployable_id,
                        cpid_id=handle.cpid_id,
                        attach_type=handle.attach_type,
                        attach_info=handle.attach_info,
                    )
                )

        assert slots(scrape()) == (1, 1, 0)


class TestCounts:
    def test_events(self, cloud, counted, boot):
        boot(cloud.add_device())
        boot()
        counted()

        found = scrape()

        def events(action, outcome='success'):
            return value(found, 'events_total', action=action, outcome=outcome)

        assert [events(name) for name in ('create', 'reserve', 'bind')] == [
            2,
            2,
            1,
        ]
        assert events('bind', 'error') == 0

    def test_how_long_bindings_take(self, cloud, member, counted, nova, boot):
        boot(cloud.add_device())
        uuid = member.create_one()
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid)
        with cloud.held_bindings():
            nova.bind(server_id, providers(cloud.add_device(), uuid))
        cloud.drain()
        counted()

        found = scrape()

        assert value(found, 'binding_seconds_count') == 2
        assert value(found, 'binding_seconds_bucket', le='+Inf') == 2
        assert 0 < value(found, 'binding_seconds_sum') < cyborg.PATIENCE

    def test_the_buckets_add_up(self, cloud):
        context = cyborg_context.get_admin_context()
        counts.add(
            context,
            {
                (counts.BINDINGS, '0.1'): counts.Count(3, 0.2),
                (counts.BINDINGS, '60.0'): counts.Count(2, 70),
                (counts.BINDINGS, '+Inf'): counts.Count(1, 700),
            },
        )

        found = scrape()

        buckets = [
            value(found, 'binding_seconds_bucket', le=bound)
            for bound in ('0.05', '0.1', '30.0', '60.0', '600.0', '+Inf')
        ]
        assert buckets == [0, 3, 3, 5, 5, 6]
        assert value(found, 'binding_seconds_sum') == pytest.approx(770.2)

    def test_servers_without_a_host_by_reason(
        self, placement, nova, counted, boot
    ):
        server_id, uuid = boot(resources={'FPGA': 1})
        path = f'/v2/device_allocations/{server_id}/explain'
        query = f'resources{model.requester_id(uuid, 0)}=FPGA:1'
        for candidates in ([], [], ['host']):
            placement.candidates = candidates
            nova.post(path, {'query': query})
        counted()

        found = scrape()

        name = 'nova_cyborg.no_host'
        for reason, times in (('resource_class', 2), ('filters', 1)):
            reason = f'{name}.{reason}'
            assert value(found, 'refusals_total', reason=reason) == times
        assert (
            value(found, 'events_total', action='schedule', outcome='error')
            == 3
        )

    def test_refusals_by_reason(self, cloud, member, counted, boot):
        _server_id, uuid = boot()
        for _n in range(2):
            member.delete(uuid, status=409)
        member.show(cyborg.UNKNOWN, status=404)
        counted()
        member.delete(uuid, status=409)
        counted()

        found = scrape()

        assert {
            dict(labels)['reason']: times
            for (name, *labels), times in found.items()
            if name == 'nova_cyborg_refusals_total'
        } == {
            'nova_cyborg.device_context.in_use': 3,
            'nova_cyborg.device_context.not_found': 1,
        }

    def test_they_cost_a_request_nothing(self, cloud, member, counted):
        with cloud.statements() as sent:
            member.show(cyborg.UNKNOWN, status=404)

        assert not [each for each in sent if 'metric_counts' in each]

    def test_they_are_added_after_a_while(self, cloud, member, counted):
        counting.start(0.01)
        member.show(cyborg.UNKNOWN, status=404)

        cyborg.wait_for(lambda: cloud.count(tables.MetricCount))

    def test_what_could_not_be_added_is_added_later(
        self, cloud, member, counted, monkeypatch, caplog
    ):
        with monkeypatch.context() as patch:

            def fail(*_args):
                raise RuntimeError('the database is away')

            patch.setattr(counts, 'add', fail)
            member.show(cyborg.UNKNOWN, status=404)
            counted()
        member.show(cyborg.UNKNOWN, status=404)
        counted()

        found = scrape()
        reason = 'nova_cyborg.device_context.not_found'
        assert value(found, 'refusals_total', reason=reason) == 2
        assert 'What was counted is added later' in caplog.text

    def test_nothing_is_counted_if_not_wanted(self, cloud, member):
        counting.start(0)
        member.show(cyborg.UNKNOWN, status=404)
        counting.flush()

        assert not cloud.count(tables.MetricCount)


def test_a_scrape_costs_the_same_with_many(cloud, member, counted, boot):
    def count():
        with cloud.statements() as sent:
            scrape()
        return len(sent)

    alone = count()
    for number in range(5):
        boot(cloud.add_device(host=f'compute{number}'))
        member.create_one()
    counted()
    # What is bound in other threads has its statements, too.
    cloud.drain()

    assert count() == alone == STATEMENTS


def test_a_database_that_is_away(cloud, caplog):
    tables.MetricCount.__table__.drop(cloud.engine)
    try:
        found = scrape()
    finally:
        tables.MetricCount.__table__.create(cloud.engine)

    assert found == {('nova_cyborg_up',): 0}
    assert 'The database could not be read for metrics' in caplog.text


def _names(found):
    return {re.sub('_(bucket|sum|count)$', '', name) for name, *_ in found}


def test_each_metric_is_documented(cloud, member, counted):
    member.show(cyborg.UNKNOWN, status=404)
    counted()
    cloud.add_device()
    text = (DOCS / 'metrics.rst').read_text()

    documented = set(re.findall('``(nova_cyborg_[a-z_]+)``', text))

    assert documented == _names(scrape())


def test_the_dashboard_shows_what_there_is(cloud, member, counted):
    member.show(cyborg.UNKNOWN, status=404)
    counted()
    cloud.add_device()
    dashboard = json.loads((DOCS / 'grafana-dashboard.json').read_text())

    queries = ' '.join(
        target['expr']
        for panel in dashboard['panels']
        for target in panel.get('targets', ())
    )
    shown = set(re.findall('nova_cyborg_[a-z_]+', queries))
    there_are = {name for name, *_ in scrape()}

    assert shown <= there_are
    assert {re.sub('_(bucket|sum|count)$', '', name) for name in shown} == (
        _names(scrape()) - {'nova_cyborg_up'} | {'nova_cyborg_up'}
    )
