# SPDX-License-Identifier: Apache-2.0

"""``/v2/reconciler``: who puts right what disagrees, and what that was."""

import typing as ty

from pecan import rest

from nova_cyborg.api.controllers import handler
from nova_cyborg.api.policies import reconciler as policies
from nova_cyborg.db.reconciler import leases


class ReconcilerController(rest.RestController):
    """The one reconciler of the cloud."""

    @handler.handle(policies.GET)
    def get_all(self) -> dict[str, ty.Any]:
        """Show which cyborg-conductor reconciles, and what it has found."""
        context = handler.request_context()
        builds = leases.read(context, leases.CONDUCTOR)
        return {
            'reconciler': {
                **_as_dict(leases.read(context, leases.RECONCILER)),
                'builds_host': builds.host if builds else None,
                'builds_active': bool(builds and builds.in_use),
            }
        }


def _as_dict(lease: leases.Lease | None) -> dict[str, ty.Any]:
    report = lease.report if lease else {}
    return {
        'host': lease.host if lease else None,
        'active': bool(lease and lease.in_use),
        'last_good_round': lease.good_age if lease else None,
        'interval': report.get('interval'),
        'oldest_suspect': report.get('oldest_suspect'),
        'found': report.get('found', {}),
        'repaired': report.get('repaired', {}),
        'failed': report.get('failed', {}),
    }
