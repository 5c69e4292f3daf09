# SPDX-License-Identifier: Apache-2.0

"""Disabling devices, and enabling them again."""

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from tests.functional.api import cyborg


@pytest.fixture
def device(cloud):
    """A device of two deployables, whose row ids are others than its own."""
    cloud.add_device()
    providers = [cloud.add_device(), cloud.add_device()]
    with cloud.engine.begin() as connection:
        ids = connection.execute(
            sa.select(models.Deployable.id, models.Deployable.device_id).where(
                models.Deployable.rp_uuid.in_(providers)
            )
        ).all()
        chosen = ids[1].device_id
        connection.execute(
            sa.update(models.Deployable)
            .where(models.Deployable.id == ids[0].id)
            .values(device_id=chosen)
        )
        uuid = connection.scalar(
            sa.select(models.Device.uuid).where(models.Device.id == chosen)
        )
    return uuid, providers


def status(cloud, uuid):
    query = sa.select(models.Device.status).where(models.Device.uuid == uuid)
    with cloud.engine.connect() as connection:
        return connection.scalar(query)


def test_all_of_a_device_is_disabled(cloud, admin, placement, device):
    uuid, providers = device

    admin.post(f'/v2/devices/{uuid}/disable', {}, status=204)

    wanted = {'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 2}}
    assert placement.inventories == dict.fromkeys(providers, wanted)
    assert status(cloud, uuid) == 'maintaining'

    admin.post(f'/v2/devices/{uuid}/enable', {}, status=204)

    wanted = {'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 0}}
    assert placement.inventories == dict.fromkeys(providers, wanted)
    assert status(cloud, uuid) == 'enabled'


def test_placement_does_not_answer(cloud, admin, placement, device):
    uuid, _providers = device
    placement.status_code = 503

    admin.post(f'/v2/devices/{uuid}/disable', {}, status=503)

    # No server gets it all the same.
    assert status(cloud, uuid) == 'maintaining'


def test_one_that_placement_cannot_be_told_of_stays_disabled(
    cloud, admin, placement, device
):
    uuid, _providers = device
    admin.post(f'/v2/devices/{uuid}/disable', {}, status=204)
    placement.status_code = 503

    admin.post(f'/v2/devices/{uuid}/enable', {}, status=503)

    assert status(cloud, uuid) == 'maintaining'


def test_members_may_not(cloud, member, placement, device):
    uuid, _providers = device

    member.post(f'/v2/devices/{uuid}/disable', {}, status=403)

    assert status(cloud, uuid) == 'enabled'


def test_an_unknown_device(admin, placement):
    admin.post(f'/v2/devices/{cyborg.UNKNOWN}/disable', {}, status=404)
