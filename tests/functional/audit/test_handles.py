# SPDX-License-Identifier: Apache-2.0

"""Attach handles."""

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from tests.functional.audit.rows import execute, use_all_handles


def test_a_handle_of_no_arq(cloud, run, running):
    use_all_handles(cloud)
    assert cloud.used_slots() == 2

    assert run(repair=True) == (0, ['handle-of-no-arq'])
    assert cloud.used_slots() == 1


def test_a_free_handle_of_an_arq(cloud, run, running):
    execute(cloud, sa.update(models.AttachHandle).values(in_use=False))

    assert run(repair=True) == (0, ['free-handle-of-arq'])
    assert run() == (0, [])
    assert cloud.used_slots() == 1


def test_a_handle_of_two_arqs(cloud, run, running, boot, placement):
    provider, _server_id, _context_id = running
    other, _other_context = boot(provider)
    cloud.nova.change(other, 'ACTIVE')
    placement.allocate(provider, other)
    first = sa.select(sa.func.min(models.AttachHandle.id)).scalar_subquery()
    execute(cloud, sa.update(models.ExtArq).values(attach_handle_id=first))

    status, kinds = run(repair=True)

    # Which of the two has the device, only a person can tell.
    assert status == 1
    assert 'handle-of-several-arqs' in kinds
