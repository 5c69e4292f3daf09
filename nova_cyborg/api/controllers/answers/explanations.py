# SPDX-License-Identifier: Apache-2.0

"""Why no host has what device contexts ask for, in the form of the API."""

import collections.abc
import typing as ty

from cyborg.conf import CONF

from nova_cyborg import exception, model
from nova_cyborg.api.controllers import handler
from nova_cyborg.api.controllers.answers import device_context_limits
from nova_cyborg.api.policies import device_context as policies
from nova_cyborg.explaining import explanation, flavors
from nova_cyborg.lifecycle import bounds
from nova_cyborg.lifecycle.explaining import explain

# What a sentence calls device contexts that are not made.
_NEW = '(not made yet)'


def new(groups: tuple[model.Choice, ...]) -> model.DeviceContext:
    """Return a device context that is not made, and will not be.

    :param groups: what it would ask for.
    :returns: the device context.
    """
    context = handler.request_context()
    return model.DeviceContext(
        uuid=_NEW,
        project_id=context.project_id,
        user_id=context.user_id,
        groups=groups,
    )


def answer(
    wanted: model.DeviceContext, body: collections.abc.Mapping[str, ty.Any]
) -> dict[str, ty.Any]:
    """Explain what would become of a server with a device context.

    :param wanted: the device context.
    :param body: has the flavor and the image of the server, if anything.
    :returns: the answer; with numbers for those who may read them.
    """
    counting = handler.is_allowed(policies.EXPLAIN_NUMBERS)
    found = _over_limit(wanted) or explain.of_request(
        handler.request_context(),
        [wanted],
        body.get('flavor', {}),
        body.get('image', {}),
        bounds.of_cloud(
            handler.request_context(),
            CONF.nova_cyborg.max_accelerators_per_server,
            CONF.nova_cyborg.allowed_resource_classes,
        ),
        counting,
    )
    return {
        'fits': found.fits,
        'sentence': found.sentence,
        'requirements': [_as_dict(row, counting) for row in found.rows],
        'warnings': flavors.ignored(
            body.get('flavor', {}), body.get('image', {})
        ),
    }


def _over_limit(wanted: model.DeviceContext) -> explanation.Explanation | None:
    """Say that a server would be refused before there is a look at hosts."""
    if wanted.server_id:
        # What a server holds is counted already.
        return None
    try:
        device_context_limits.of_project(wanted.project_id).check_unheld(
            handler.request_context(), [wanted]
        )
    except exception.LimitReached as exc:
        return explanation.Explanation(False, str(exc))
    except exception.LimitsUnknown as exc:
        return explanation.Explanation(None, str(exc))
    return None


def _as_dict(row: explanation.Row, counting: bool) -> dict[str, ty.Any]:
    shown: dict[str, ty.Any] = {
        'requirement': row.requirement,
        'kind': row.kind,
        'name': row.name,
        'met': row.met,
    }
    if counting:
        shown |= {'hosts': row.hosts, 'more': row.more}
    return shown
