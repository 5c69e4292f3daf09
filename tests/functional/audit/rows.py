# SPDX-License-Identifier: Apache-2.0

"""Rows of Cyborg's database that disagree with each other."""

import uuid

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

PROFILE = 'nova-cyborg-' + 'f' * 32


def execute(cloud, statement):
    with cloud.engine.begin() as connection:
        connection.execute(statement)


def use_all_handles(cloud):
    """Have those count as used that no ARQ has."""
    free = models.AttachHandle.in_use.is_(False)
    execute(cloud, sa.update(models.AttachHandle).where(free).values(in_use=1))


def add_profile(cloud):
    """Add a hidden profile that no ARQ is of."""
    execute(
        cloud,
        sa.insert(models.DeviceProfile).values(
            uuid=str(uuid.uuid4()), name=PROFILE, profile_json='{"groups": []}'
        ),
    )
