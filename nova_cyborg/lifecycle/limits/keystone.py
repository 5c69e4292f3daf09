# SPDX-License-Identifier: Apache-2.0

"""Limits that are registered in Keystone, read by oslo.limit.

oslo.limit itself would take what is not registered for forbidden, and ask once
for each resource of which the project has no limit of its own, in the middle
of the transaction that counts. Here, it says where to look, and all limits are
read at once, before.
"""

import logging
import typing as ty

from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from oslo_limit import exception as limit_exc
from oslo_limit import limit

from nova_cyborg import exception
from nova_cyborg.db.limits import limits

LOG = logging.getLogger(__name__)

# What a request waits for, unless [oslo_limit] timeout says so.
_PATIENCE = 10

_FAILURES = (
    ks_exc.ClientException,
    sdk_exc.SDKException,
    limit_exc.SessionInitError,
    # An answer that is not Keystone's; options that name no endpoint; and an
    # enforcement model that oslo.limit does not know, or only by its name.
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class _Log:
    """Says what is wrong once, and that it is over.

    :ivar failing: whether the last attempt has failed.
    """

    def __init__(self) -> None:
        self.failing = False

    def failed(self, reason: Exception) -> None:
        """Log that limits cannot be read, unless that was so already."""
        if not self.failing:
            LOG.error(
                'The limits of projects cannot be read from Keystone: %s. '
                'Until they can, nothing is made or given that they may limit',
                str(reason).rstrip('.'),
            )
        self.failing = True

    def read(self) -> None:
        """Log that limits can be read again, if they could not."""
        if self.failing:
            LOG.info('The limits of projects can be read again')
        self.failing = False


_log = _Log()


def of_project(project_id: str) -> limits.Limits:
    """Read the limits of a project.

    :param project_id: the project.
    :returns: its limits.
    :raises LimitsUnknown: if Keystone does not say.
    """
    try:
        found = _read(project_id)
    except _FAILURES as exc:
        _log.failed(exc)
        raise exception.LimitsUnknown(
            service='cyborg-api', options='cyborg.conf'
        ) from exc
    _log.read()
    return limits.Limits(
        project_id, {name: most for name, most in found.items() if _ours(name)}
    )


def _read(project_id: str) -> dict[str, int]:
    CONF.set_default('timeout', _PATIENCE, group='oslo_limit')
    # A new one each time: it knows of an endpoint that was registered anew.
    enforcer: ty.Any = limit.Enforcer(lambda *_args: {})
    # Before 2.7, it says nothing of limits that it is not asked for by name.
    looked_up = enforcer.model._utils
    service = {
        'service_id': looked_up._service_id,
        'region_id': looked_up._region_id,
    }
    found = {
        each.resource_name: int(each.default_limit)
        for each in enforcer.connection.registered_limits(**service)
    }
    if any(map(_ours, found)):
        # Keystone has none of a project that is not registered.
        of_project = enforcer.connection.limits(
            project_id=project_id, **service
        )
        found |= {
            each.resource_name: int(each.resource_limit) for each in of_project
        }
    return found


def _ours(name: str) -> bool:
    return name == limits.CONTEXTS or name.startswith(limits.CLASS_PREFIX)
