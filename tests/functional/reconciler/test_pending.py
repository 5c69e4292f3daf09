# SPDX-License-Identifier: Apache-2.0

"""Bindings whose process has died."""

import threading

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants, exception
from cyborg.db.sqlalchemy import models
from cyborg.objects import attach_handle, ext_arq

from nova_cyborg.db.reconciler import pending
from nova_cyborg.lifecycle import bind
from tests.functional.api.conftest import providers, wait_for_status
from tests.functional.audit import rows

ARQ = models.ExtArq


@pytest.fixture
def interrupted(cloud, boot, nova, member, monkeypatch):
    """A server of which cyborg-api has died before it told the conductor."""

    def _boot(slots=1, **device):
        server_id, context_id = boot()
        provider = cloud.add_device(slots=slots, **device)
        with monkeypatch.context() as patch, cloud.held_bindings():
            patch.setattr(bind, '_run', lambda *args: None)
            nova.bind(server_id, providers(provider, context_id))
            cloud.drain()
        assert states(cloud) == ['Initial']
        return server_id, context_id

    return _boot


def states(cloud):
    with cloud.engine.connect() as connection:
        return list(connection.scalars(sa.select(ARQ.state)))


def change(cloud, **values):
    rows.execute(cloud, sa.update(ARQ).values(**values))


def a_handle(cloud):
    with cloud.engine.connect() as connection:
        return connection.scalar(sa.select(models.AttachHandle.id))


def found():
    return pending.find(cyborg_context.get_admin_context())


def test_cyborg_api_has_died(cloud, reconciler, interrupted, member):
    server_id, context_id = interrupted()

    reconciler.tick()
    assert states(cloud) == ['Initial']
    reconciler.tick()
    cloud.drain()

    wait_for_status(member, context_id, 'bound')
    assert set(cloud.nova.outcomes(server_id).values()) == {'completed'}
    assert reconciler.report['repaired'] == {'binding-not-finished': 1}
    assert cloud.used_slots() == 1


def test_there_is_no_slot(cloud, reconciler, interrupted, member):
    """Nova is told, and waits no longer."""
    server_id, context_id = interrupted()
    rows.use_all_handles(cloud)
    cloud.database.set_missing(found()[0].arqs[0].provider)

    reconciler.tick(2)
    cloud.drain()

    assert member.status_of(context_id) == 'error'
    assert set(cloud.nova.outcomes(server_id).values()) == {'failed'}


@pytest.mark.parametrize('status', ['ERROR', 'SHELVED_OFFLOADED'])
def test_the_server_does_not_wait(cloud, reconciler, interrupted, status):
    server_id, _context_id = interrupted()
    cloud.nova.change(server_id, status)

    reconciler.tick(3)
    cloud.drain()

    assert cloud.used_slots() == 0


def test_its_cell_is_down(cloud, reconciler, interrupted):
    """Nova does not say whether the server waits."""
    server_id, _context_id = interrupted()
    cloud.nova.unreachable = {server_id}

    reconciler.tick(3)
    cloud.drain()

    assert states(cloud) == ['Initial']


def test_cyborg_conductor_may_be_at_it(cloud, reconciler, interrupted):
    """Until the agent would have made a mediated device."""
    interrupted()
    change(cloud, state=constants.ARQ_BIND_STARTED)

    reconciler.tick(4)
    cloud.drain()

    assert states(cloud) == ['BindStarted']
    assert found()[0].is_started


def test_it_has_died_after_it_took_the_slot(
    cloud, reconciler, interrupted, member
):
    server_id, context_id = interrupted()
    row_id = a_handle(cloud)
    rows.use_all_handles(cloud)
    change(cloud, state=constants.ARQ_BIND_STARTED, attach_handle_id=row_id)

    reconciler.tick(2)

    assert member.status_of(context_id) == 'bound'
    assert set(cloud.nova.outcomes(server_id).values()) == {'completed'}
    assert cloud.used_slots() == 1


def test_a_binding_that_has_changed_is_not_claimed(cloud, interrupted):
    interrupted()
    (seen,) = found()
    change(cloud, state=constants.ARQ_BIND_STARTED)

    assert not pending.claim(cyborg_context.get_admin_context(), seen)

    assert states(cloud) == ['BindStarted']


def test_an_attempt_has_followed(cloud, reconciler, interrupted, nova):
    server_id, _context_id = interrupted()
    nova.begin(server_id)

    assert found() == []


class TestTwoBinders:
    """Of one that is slow, and one that has taken it for dead."""

    @pytest.fixture(autouse=True)
    def _interrupted(self, cloud, interrupted):
        self.server_id, self.context_id = interrupted(slots=2)
        (self.binding,) = found()
        self.context = cyborg_context.get_admin_context()

    def fields(self):
        arq = self.binding.arqs[0]
        values = {
            'hostname': 'compute1',
            'device_rp_uuid': arq.provider,
            'instance_uuid': self.server_id,
            'project_id': self.binding.project_id,
        }
        return arq.uuid, {arq.uuid: values}

    def test_one_starts(self, cloud):
        """Both have read that it is not started."""
        arq_id, fields = self.fields()
        first = ext_arq.ExtARQ.get(self.context, arq_id)
        second = ext_arq.ExtARQ.get(self.context, arq_id)

        first.start_bind_job(self.context, fields)
        with pytest.raises(exception.ARQBadState):
            second.start_bind_job(self.context, fields)

        assert states(cloud) == ['Bound']
        assert cloud.used_slots() == 1

    def test_the_slot_of_the_other_one_stays(self, cloud, member, monkeypatch):
        """The slow one gives back what it has taken."""
        arq_id, fields = self.fields()
        taken, go_on = threading.Event(), threading.Event()

        stock = attach_handle.AttachHandle.allocate

        def slow(context, deployable_id):
            handle = stock(context, deployable_id)
            if not taken.is_set():
                taken.set()
                go_on.wait(20)
            return handle

        monkeypatch.setattr(attach_handle.AttachHandle, 'allocate', slow)
        errors = []

        def bind_slowly():
            one = ext_arq.ExtARQ.get(self.context, arq_id)
            try:
                one.start_bind_job(self.context, fields)
            except exception.CyborgException as exc:
                errors.append(exc)

        thread = threading.Thread(target=bind_slowly)
        thread.start()
        assert taken.wait(20)
        (started,) = found()
        assert pending.claim(self.context, started)
        other = ext_arq.ExtARQ.get(self.context, arq_id)
        other.start_bind_job(self.context, fields)
        with cloud.engine.connect() as connection:
            given = connection.scalar(sa.select(ARQ.attach_handle_id))
        go_on.set()
        thread.join(20)

        assert errors
        assert member.status_of(self.context_id) == 'bound'
        assert cloud.used_slots() == 1
        with cloud.engine.connect() as connection:
            assert given == connection.scalar(sa.select(ARQ.attach_handle_id))
