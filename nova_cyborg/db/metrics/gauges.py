# SPDX-License-Identifier: Apache-2.0

"""How much there is now, each with one statement."""

import collections.abc
import dataclasses

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import pages, session, tables
from nova_cyborg.db.inventory import handles, outages, providers

#: States of slots: one can be given; a server has it; neither.
FREE, USED, DRAINED = 'free', 'used', 'drained'
STATES = (FREE, USED, DRAINED)

_NO_CLASS = 'unknown'


@dataclasses.dataclass(frozen=True)
class Slots:
    """How many slots there are of a kind on a host, in a state."""

    resource_class: str
    host: str
    state: str
    count: int


def contexts(
    context: cyborg_context.RequestContext,
) -> dict[str, int]:
    """Count device contexts by their status.

    :returns: how many there are; of some there may be none.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    each = (
        sa.select(pages.status().label('status'))
        .select_from(held)
        .outerjoin(allocation, allocation.id == held.allocation_id)
        .subquery()
    )
    query = sa.select(each.c.status, sa.func.count()).group_by(each.c.status)
    found = session.rows(context, query)
    return {str(status): int(count) for status, count in found}


def slots(
    context: cyborg_context.RequestContext,
) -> collections.abc.Sequence[Slots]:
    """Count slots by class, host and state.

    One that is recorded twice, as may be for a moment, counts once.

    :returns: how many there are; what there is none of is left out.
    """
    each = _each_slot().subquery()
    state = sa.case(
        (each.c.used > 0, USED), (each.c.drained > 0, DRAINED), else_=FREE
    ).label('state')
    of_state = sa.select(each.c.resource_class, each.c.host, state).subquery()
    columns = (of_state.c.resource_class, of_state.c.host, of_state.c.state)
    query = (
        sa.select(*columns, sa.func.count())
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Slots(kind or _NO_CLASS, host, state, count)
        for kind, host, state, count in session.rows(context, query)
    ]


def _each_slot() -> sa.Select[tuple[str, str, int, int]]:
    handle, deployable = models.AttachHandle, models.Deployable
    device, attribute = models.Device, models.Attribute
    # A card has many mediated devices, which say the same of their place.
    place = sa.case(
        (
            sa.cast(handle.attach_type, sa.String) == constants.AH_TYPE_MDEV,
            handle.uuid,
        ),
        else_=handle.attach_info,
    )
    tainted = (
        sa.select(tables.DeviceTaint.uuid)
        .where(tables.DeviceTaint.device_uuid == device.uuid)
        .correlate(device)
        .exists()
    )
    used = sa.or_(handle.in_use.is_(True), handles.IS_USED)
    drained = sa.or_(
        outages.IS_OUT, device.status == providers.MAINTAINED, tainted
    )
    flags = [
        sa.func.max(sa.case((condition, 1), else_=0)).label(name)
        for name, condition in (('used', used), ('drained', drained))
    ]
    return (
        sa.select(
            sa.func.max(attribute.value).label('resource_class'),
            device.hostname.label('host'),
            *flags,
        )
        .select_from(handle)
        .join(deployable, deployable.id == handle.deployable_id)
        .join(device, device.id == deployable.device_id)
        .outerjoin(
            attribute,
            sa.and_(
                attribute.deployable_id == deployable.id,
                attribute.key == providers.RESOURCE_CLASS,
            ),
        )
        .group_by(device.hostname, place)
    )
