# SPDX-License-Identifier: Apache-2.0

"""Accelerator requests that are nobody's."""

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.audit.rows import execute


def test_an_arq_of_no_context(cloud, run, running, placement):
    provider, server_id, _context_id = running
    execute(cloud, sa.delete(tables.DeviceContextArq))

    # The server's guest may have the device: it stays.
    assert run(repair=True) == (1, ['arq-of-no-context'])
    assert cloud.used_slots() == 1

    cloud.nova.delete(server_id)
    placement.allocations[provider].clear()
    status, kinds = run(repair=True)
    assert status == 0
    assert 'arq-of-no-context' in kinds
    assert cloud.used_slots() == 0
    run(repair=True)
    assert run() == (0, [])


def test_arqs_of_a_profile_of_no_server(cloud, run, running):
    _provider, server_id, _context_id = running
    execute(cloud, sa.delete(tables.DeviceContextArq))
    execute(cloud, sa.update(tables.DeviceContext).values(allocation_id=None))
    execute(cloud, sa.delete(tables.DeviceBinding))
    execute(cloud, sa.delete(tables.DeviceAllocation))
    execute(cloud, sa.update(models.DeviceProfile).values(name='gold'))
    assert run() == (0, [])

    cloud.nova.delete(server_id)
    status, kinds = run(repair=True)
    assert status == 0
    assert 'arqs-of-no-server' in kinds
    assert cloud.used_slots() == 0
    assert run() == (0, [])
