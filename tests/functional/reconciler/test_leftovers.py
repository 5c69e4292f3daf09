# SPDX-License-Identifier: Apache-2.0

"""Rows that have lost what they belong to."""

import datetime

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.audit import rows
from tests.functional.reconciler.test_holders import put, settled


def repaired(reconciler):
    return reconciler.report['repaired']


def test_a_handle_of_no_arq(cloud, reconciler):
    cloud.add_device(slots=1)
    rows.use_all_handles(cloud)

    reconciler.tick()
    assert cloud.used_slots() == 1
    reconciler.tick()

    assert cloud.used_slots() == 0
    assert repaired(reconciler) == {'handle-of-no-arq': 1}


def test_a_mediated_device_may_be_on_its_way(cloud, reconciler):
    """An agent may take a minute to make it."""
    cloud.add_device(slots=1, attach_type='MDEV')
    rows.use_all_handles(cloud)

    reconciler.tick(3)

    assert cloud.used_slots() == 1
    assert reconciler.report['oldest_suspect'] is not None


def test_a_handle_that_is_in_use_again(cloud, reconciler):
    """It was given back in between, and taken."""
    cloud.add_device(slots=1)
    rows.use_all_handles(cloud)
    reconciler.tick()
    later = datetime.datetime(2030, 1, 1)
    rows.execute(
        cloud, sa.update(models.AttachHandle).values(updated_at=later)
    )

    reconciler.tick()

    assert cloud.used_slots() == 1


def test_a_free_handle_of_an_arq(cloud, reconciler, running):
    put(cloud, running[1])
    rows.execute(cloud, sa.update(models.AttachHandle).values(in_use=False))

    reconciler.tick(2)

    assert cloud.used_slots() == 1
    assert repaired(reconciler) == {'free-handle-of-arq': 1}


def test_a_link_to_no_arq(cloud, reconciler, running):
    """Somebody has deleted the ARQ of a server that is on no host."""
    cloud.nova.change(running[1], 'SHELVED_OFFLOADED')
    put(cloud, running[1], None)
    rows.execute(cloud, sa.delete(models.ExtArq))

    reconciler.tick(5)

    assert cloud.count(tables.DeviceContextArq) == 0
    assert cloud.count(tables.DeviceBinding) == 0
    assert settled(cloud) == (1, 0)


@pytest.mark.parametrize('server_id', [None, cyborg.UNKNOWN])
def test_an_arq_of_no_context(cloud, reconciler, server_id):
    rows.add_profile(cloud)
    with cloud.engine.begin() as connection:
        profile = connection.scalar(sa.select(models.DeviceProfile.id))
        connection.execute(
            sa.insert(models.ExtArq.__table__).values(
                uuid=cyborg.CALLER,
                state='Initial',
                device_profile_id=profile,
                device_profile_group_id=0,
                instance_uuid=server_id,
            )
        )

    reconciler.tick(4)

    assert cloud.count(models.ExtArq) == 0
    assert cloud.count(models.DeviceProfile) == 0


def test_a_profile_of_no_arq(cloud, reconciler):
    rows.add_profile(cloud)

    reconciler.tick(6)

    assert cloud.count(models.DeviceProfile) == 0
