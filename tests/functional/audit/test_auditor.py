# SPDX-License-Identifier: Apache-2.0

"""Looking twice, and repairing."""

import pytest
from cyborg.db.sqlalchemy import models

from nova_cyborg.audit import auditor
from tests.functional.audit.rows import add_profile, use_all_handles


def test_all_is_well(run, running, member):
    assert run() == (0, [])
    assert run(repair=True) == (0, [])
    assert member.status_of(running[2]) == 'bound'


@pytest.mark.parametrize(
    'step',
    [
        'SELECT device_allocations',
        'UPDATE device_allocations',
        'UPDATE extended_accelerator_requests',
    ],
)
def test_another_audit_repairs_at_the_same_time(cloud, run, running, step):
    """It begins and ends while the first is about to do a step."""
    _provider, server_id, _context_id = running
    use_all_handles(cloud)
    add_profile(cloud)
    cloud.nova.delete(server_id)
    others = []

    with cloud.before(step, lambda: others.append(run(repair=True))):
        status, _kinds = run(repair=True)

    assert status == 0
    assert [status for status, _kinds in others] == [0]
    assert run() == (0, [])
    assert cloud.used_slots() == 0
    assert cloud.count(models.DeviceProfile) == 0


def test_what_passes_by_itself_does_not_count(
    cloud, running, placement, monkeypatch
):
    provider, _server_id, _context_id = running
    building = cloud.nova.boot()
    placement.allocate(provider, building)
    # Between the two looks the server goes another way.
    waits, told = [], []

    def sleep(seconds):
        waits.append(seconds)
        placement.delete(f'/x/{building}')

    monkeypatch.setattr(auditor.time, 'sleep', sleep)

    assert auditor.run(5, repair=True, tell=told.append) == []
    assert waits == [5]
    assert told == ['1 found; looking again in 5 s']
