# SPDX-License-Identifier: Apache-2.0

"""What the device contexts of a server cost Placement.

Read from Cyborg's own tables before Placement is asked, which would not end
before it has tried everything.
"""

import collections.abc
import logging

from cyborg import context as cyborg_context

from nova_cyborg import combinations, exception, language, model
from nova_cyborg.db import handles, profiles

LOG = logging.getLogger(__name__)


def of_server(
    context: cyborg_context.RequestContext,
    contexts: collections.abc.Iterable[model.DeviceContext],
    profile: str | None,
    flavor_resources: collections.abc.Iterable[
        collections.abc.Mapping[str, int]
    ],
) -> combinations.Combinations:
    """Count the combinations of devices that Placement tries for a server.

    :param contexts: its device contexts.
    :param profile: the name of the device profile of its flavor, if any.
    :param flavor_resources: what its flavor asks for by itself: amounts by
        resource class, for each provider that Placement chooses.
    :returns: the numbers.
    """
    groups = [group for each in contexts for group in each.groups]
    groups += (
        model.Group(tuple(sorted(each.items()))) for each in flavor_resources
    )
    if profile:
        groups += _of_profile(context, profile)
    if len(groups) < 2:
        return combinations.NONE
    return combinations.count(groups, handles.free_for_groups(context, groups))


def _of_profile(
    context: cyborg_context.RequestContext, name: str
) -> collections.abc.Iterator[model.Group]:
    for group in profiles.groups_of(context, name):
        try:
            yield language.group_from_profile(group)
        except exception.InvalidRequest as exc:
            # Nova says what becomes of it; Placement may take it.
            LOG.warning(
                'A group of device profile %s is not counted among what '
                'Placement is asked for: %s',
                name,
                exc,
            )
