# SPDX-License-Identifier: Apache-2.0

"""What Nova or Placement does not say is no absence: nothing is repaired."""

import types

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg import exception
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle.reconciling import (
    allocations,
    leftovers,
    pending,
    subjects,
)
from tests.functional.reconciler.test_holders import put

# All that is looked at in turn has had its turn, and its second look.
TICKS = 12
# Between two of them; after these, all is looked at again.
SECONDS = 400


@pytest.fixture
def tick(reconciler, monkeypatch):
    """Reconciles for long, and returns what was repaired so far."""
    now = 1000.0
    clock = types.SimpleNamespace(monotonic=lambda: now)
    for module in (allocations, leftovers, pending, subjects):
        monkeypatch.setattr(module, 'time', clock)

    def _tick():
        nonlocal now
        for _n in range(TICKS):
            reconciler.tick()
            now += SECONDS
        return reconciler.report['repaired']

    return _tick


class Residue:
    """Of each kind something that is of no server.

    :ivar consumer: UUID of a server that has an allocation alone.
    """

    def __init__(self, cloud, placement, consumer):
        self.cloud, self.placement = cloud, placement
        self.consumer = consumer

    @property
    def rows(self):
        """What Cyborg and Placement have."""
        with self.cloud.engine.connect() as connection:
            arqs = set(connection.scalars(sa.select(models.ExtArq.uuid)))
        return arqs, {
            provider: dict(consumers)
            for provider, consumers in self.placement.allocations.items()
        }


@pytest.fixture
def residue(cloud, placement, boot, profile_arq):
    """A server with contexts, one with a profile, and an allocation."""
    provider = cloud.add_device(slots=4)
    placement.nodes[provider] = 'compute1'
    holder, _context_id = boot(provider)
    user = cloud.nova.boot('ACTIVE', None)
    profile_arq(user, provider)
    for server_id in (holder, user):
        put(cloud, server_id)
        placement.allocate(provider, server_id)
        cloud.nova.delete(server_id, listed=False)
    consumer = cloud.nova.boot('ACTIVE', None)
    placement.allocate(provider, consumer)
    cloud.nova.delete(consumer, listed=False)
    return Residue(cloud, placement, consumer)


def fails_with(status):
    def fail(cloud, monkeypatch):
        monkeypatch.setattr(cloud.nova, 'status_code', status)

    return fail


def lose_a_cell(cloud, monkeypatch):
    monkeypatch.setattr(cloud.nova, 'cell_is_down', True)


def hide_servers(cloud, monkeypatch):
    """As to a user who is no administrator any more."""
    monkeypatch.setattr(cloud.nova, 'administrator', False)


def time_out(cloud, monkeypatch):
    def wait(*_args, **_kwargs):
        raise ks_exc.ConnectTimeout

    monkeypatch.setattr(cloud.nova, 'get', wait)


def answer_something_else(cloud, monkeypatch):
    """As a proxy does, with a page of its own."""
    get = cloud.nova.get

    def proxy(url, timeout=None):
        if url.startswith('/servers/'):
            return nova_api.Response(502, {})
        return get(url, timeout)

    monkeypatch.setattr(cloud.nova, 'get', proxy)


NOT_SAID = {
    'down': fails_with(503),
    'forbidden': fails_with(403),
    'not known': fails_with(401),
    'a cell is down': lose_a_cell,
    'not shown': hide_servers,
    'timeout': time_out,
    'proxy': answer_something_else,
}


@pytest.mark.parametrize('how', NOT_SAID)
def test_nova_does_not_say(cloud, tick, residue, monkeypatch, how):
    before = residue.rows
    with monkeypatch.context() as patch:
        NOT_SAID[how](cloud, patch)
        assert tick() == {}
        assert residue.rows == before

    # What was left alone is what is repaired when Nova says so. What it has
    # not known while a cell was down is asked for again much later.
    for _n in range(3):
        tick()
    arqs, allocated = residue.rows
    assert not arqs
    assert not any(allocated.values())


def test_half_a_list_of_migrations(cloud, tick, residue, monkeypatch):
    """What has allocated may be on the other half."""
    moves = [
        f'{number}1111111-0000-4000-8000-000000000000' for number in range(3)
    ]
    cloud.nova.migrations['another-server'] = [
        {'uuid': uuid} for uuid in moves
    ]
    cloud.nova.page_size = 2
    [provider] = residue.rows[1]
    residue.placement.allocate(provider, moves[-1])
    get = cloud.nova.get

    def get_first_page(url, timeout=None):
        if url.startswith('/os-migrations') and 'marker' in url:
            return nova_api.Response(503, {})
        return get(url, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(cloud.nova, 'get', get_first_page)
        tick()
    _arqs, allocated = residue.rows
    assert moves[-1] in allocated[provider]

    tick()
    _arqs, allocated = residue.rows
    assert moves[-1] not in allocated[provider]


def test_placement_does_not_say(tick, residue, placement):
    """What is Cyborg's is given back, and nothing of Placement's."""
    _arqs, before = residue.rows
    placement.failure = exception.PlacementFailed(reason='it is down')

    tick()

    arqs, allocated = residue.rows
    assert allocated == before
    assert not arqs
