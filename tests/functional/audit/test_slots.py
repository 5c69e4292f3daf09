# SPDX-License-Identifier: Apache-2.0

"""Attach handles and their slots."""

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg.db import tables
from tests.functional import databases
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


def test_a_missing_device(cloud, run, running):
    provider, _server_id, _context_id = running
    cloud.database.set_missing(provider)

    assert run(repair=True) == (1, ['device-missing'])
    assert cloud.used_slots() == 1

    cloud.database.set_missing(provider, missing=False)
    assert run() == (0, [])


def test_an_arq_without_its_slot(cloud, run, running, member):
    _provider, _server_id, context_id = running
    # As stock Cyborg does on a database that checks no references.
    with databases.unchecked(cloud.engine) as connection:
        connection.execute(sa.delete(models.AttachHandle))

    assert run(repair=True) == (1, ['arq-without-slot'])
    (shown,) = member.get('/v2/accelerator_requests').json['arqs']
    assert (shown['state'], shown['attach_handle_info']) == ('Bound', {})
    assert member.get(f'/v2/accelerator_requests/{shown["uuid"]}').json == {
        **shown
    }
    assert member.show(context_id).json['status'] == 'error'


def test_one_slot_of_two_servers(cloud, run, running, boot, placement):
    # A card that was found at another place: the slots are the same.
    provider = cloud.add_device()
    other, _context = boot(provider)
    cloud.nova.change(other, 'ACTIVE')
    placement.allocate(provider, other)
    before = sa.select(models.AttachHandle.attach_info).where(
        models.AttachHandle.in_use.is_(True)
    )
    with cloud.engine.connect() as connection:
        one, _two = sorted(connection.scalars(before))
    execute(
        cloud,
        sa.update(models.AttachHandle)
        .where(models.AttachHandle.in_use.is_(True))
        .values(attach_info=one),
    )

    assert run(repair=True) == (1, ['slot-of-several-servers'])


def test_a_slot_that_could_not_be_cleaned(cloud, run, running):
    free = sa.select(models.AttachHandle.uuid).where(
        models.AttachHandle.in_use.is_(False)
    )
    execute(
        cloud,
        sa.insert(tables.HandleOutage).values(
            handle_uuid=free.scalar_subquery(),
            reason='cleaning-failed',
            detail='It burns.',
            created_at=timeutils.utcnow(),
        ),
    )

    # Of what is begun again, the agent says how it ends.
    assert run(repair=True) == (0, ['slot-not-cleaned'])
    assert run() == (0, [])
