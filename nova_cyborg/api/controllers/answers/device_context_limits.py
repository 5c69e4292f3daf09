# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_context_limits``: what a project may have, and has."""

import collections.abc
import typing as ty

from cyborg.conf import CONF
from pecan import rest

from nova_cyborg.api.controllers import handler
from nova_cyborg.api.policies import device_context_limit as policies
from nova_cyborg.api.schemas import device_context_limit as schemas
from nova_cyborg.db.limits import limits, usage
from nova_cyborg.lifecycle.limits import keystone

_COLLECTION = 'device_context_limits'


class DeviceContextLimitsController(rest.RestController):
    """The limits of projects."""

    @handler.handle(policies.GET_ALL, query=schemas.LIST)
    def get_all(self) -> dict[str, ty.Any]:
        """List what a project may have, and has."""
        query = handler.read_query()
        context = handler.request_context()
        project_id = query.get('project_id', context.project_id)
        if project_id != context.project_id:
            handler.authorize(policies.GET_OTHERS)
        found = of_project(project_id)
        used = {limits.CONTEXTS: usage.contexts(context, project_id)}
        held = usage.accelerators(context, project_id)
        for name, amount in sorted(held.items()):
            used[f'{limits.CLASS_PREFIX}{name}'] = amount
        return {_COLLECTION: list(_items(found, used))}


def of_project(project_id: str | None = None) -> limits.Limits:
    """Find what a project may have besides what any may have.

    :param project_id: the project; that of the request unless it is given.
    :returns: its limits; none if they are not enforced.
    :raises LimitsUnknown: if Keystone does not say.
    """
    project_id = project_id or str(handler.request_context().project_id)
    if CONF.nova_cyborg.enforce_limits:
        return keystone.of_project(project_id)
    return limits.Limits(project_id)


def _items(
    found: limits.Limits, used: collections.abc.Mapping[str, int]
) -> collections.abc.Iterator[dict[str, ty.Any]]:
    names = sorted({*found.most, *used} - {limits.CONTEXTS})
    for name in (limits.CONTEXTS, *names):
        most = found.of(name)
        if name == limits.CONTEXTS:
            most = _smaller(most, CONF.nova_cyborg.max_contexts_per_project)
        yield {
            'resource_name': name,
            'limit': most,
            'used': used.get(name, 0),
        }


def _smaller(*given: int) -> int:
    real = [each for each in given if each != limits.UNLIMITED]
    return min(real, default=limits.UNLIMITED)
