# SPDX-License-Identifier: Apache-2.0

"""Whether a cyborg-conductor puts right what disagrees."""

from __future__ import annotations

import collections.abc

from cyborg import context as cyborg_context

from nova_cyborg.checks import results
from nova_cyborg.db import session
from nova_cyborg.db.reconciler import leases

# Seconds after which somebody should look: far more than what is seen twice
# and put right takes.
_LONG = 600
_AUDIT = 'Until then, run "nova-cyborg-manage audit --repair".'


def check() -> results.Result:
    """Read what the one that reconciles has recorded."""
    session.named_engine()
    context = cyborg_context.get_admin_context()
    lease = leases.read(context, leases.RECONCILER)
    if lease is None:
        return results.warning(
            'No cyborg-conductor has ever reconciled. Start one with the '
            'plugin, and see that [nova_cyborg] reconcile_interval is not 0 '
            f'in its cyborg.conf. {_AUDIT}'
        )
    return results.worst(
        _problems(lease),
        f'cyborg-conductor on {lease.host} reconciles; its last round that '
        f'looked at everything began {lease.good_age} s ago, and it has '
        f'repaired {sum(lease.report.get("repaired", {}).values())}. '
        f'{leases.who_ends_builds(context)}',
    )


def _problems(
    lease: leases.Lease,
) -> collections.abc.Iterator[results.Result]:
    if not lease.in_use:
        yield results.warning(
            'No cyborg-conductor reconciles, since that on '
            f'{lease.host} has stopped {lease.now - lease.expires_at} s ago. '
            'Start one, and see that [nova_cyborg] reconcile_interval is not '
            f'0 in its cyborg.conf. {_AUDIT}'
        )
    elif lease.good_age is None:
        yield results.warning(
            f'cyborg-conductor on {lease.host} reconciles, and has got '
            'through no round yet. If that stays, its log says why.'
        )
    elif lease.good_age > _LONG:
        yield results.warning(
            f'cyborg-conductor on {lease.host} reconciles, and has got '
            f'through no round for {lease.good_age} s. Its log says what does '
            'not answer.'
        )
    oldest = lease.report.get('oldest_suspect')
    if lease.in_use and oldest is not None and oldest > _LONG:
        failed = ', '.join(sorted(lease.report.get('failed', {}))) or 'none'
        yield results.warning(
            f'Something disagrees for {oldest} s, and was not put right. '
            f'Kinds of which a repair has failed: {failed}. Run '
            '"nova-cyborg-manage audit", and see the log of cyborg-conductor '
            f'on {lease.host}.'
        )
