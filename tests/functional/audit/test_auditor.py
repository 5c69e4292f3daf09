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
        'DELETE FROM device_profiles',
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


def test_what_passes_by_itself_does_not_count(cloud, running, placement):
    provider, _server_id, _context_id = running
    leaving = cloud.nova.boot('ACTIVE', None)
    placement.allocate(provider, leaving)
    told = []

    def tell(line):
        told.append(line)
        if 'looking again' in line:
            # Between the two looks the server goes another way.
            placement.delete(f'/x/{leaving}')

    assert auditor.run(1, repair=True, tell=tell) == []
    assert told == [
        'No cyborg-conductor reconciles.',
        '1 found; looking again in 1 s',
    ]
