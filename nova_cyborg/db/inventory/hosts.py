# SPDX-License-Identifier: Apache-2.0

"""The hosts whose cyborg-agents have reported devices."""

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import session


def names(context: cyborg_context.RequestContext) -> set[str]:
    """Find the hosts that have devices.

    :returns: the names of the nodes.
    """
    query = sa.select(models.Device.hostname).distinct()
    return {name for (name,) in session.rows(context, query)}


def cleaned(context: cyborg_context.RequestContext) -> set[str]:
    """Find the hosts that have devices of which slots are cleaned.

    :returns: the names of the nodes.
    """
    deployable, attribute = models.Deployable, models.Attribute
    query = (
        sa.select(models.Device.hostname)
        .join(deployable, deployable.device_id == models.Device.id)
        .join(attribute, attribute.deployable_id == deployable.id)
        .where(attribute.key == model.CLEANING_ATTRIBUTE)
        .distinct()
    )
    return {name for (name,) in session.rows(context, query)}
