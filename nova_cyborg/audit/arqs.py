# SPDX-License-Identifier: Apache-2.0

"""Accelerator requests (ARQs) that are nobody's, and unused profiles."""

import collections.abc
import functools

from cyborg import context as cyborg_context

from nova_cyborg.audit import look
from nova_cyborg.db import allocations, arqs, profiles
from nova_cyborg.lifecycle import servers, unbind


def find_of_no_context(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find ARQs of hidden profiles that have lost their device contexts.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for arq_id, server_id in arqs.of_no_context(view.context).items():
        unused = server_id is None or (
            view.nova.server(server_id).state is servers.State.GONE
        )
        yield look.Finding(
            'arq-of-no-context',
            arq_id,
            'The accelerator request belongs to no device context'
            + ('.' if unused else f', and to server {server_id}.'),
            # What a server that exists may have in its guest stays.
            functools.partial(_unbind_one, arq_id) if unused else None,
        )


def _unbind_one(arq_id: str) -> None:
    """Repair ``arq-of-no-context``, and remove the profile that it leaves."""
    unbind.of_no_context(arq_id)


def find_of_no_server(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find ARQs of device profiles whose servers are gone.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    holders = {each.server_id for each in allocations.holders(view.context)}
    for server_id, arq_ids in arqs.of_profiles_by_server(view.context).items():
        # Those of a holder are unbound when its contexts are released.
        if server_id in holders:
            continue
        if view.nova.server(server_id).state is servers.State.GONE:
            yield look.Finding(
                'arqs-of-no-server',
                server_id,
                f'Nova does not know the server that {len(arq_ids)} '
                'accelerator requests of a device profile are for.',
                functools.partial(_unbind_all, arq_ids),
            )


def _unbind_all(arq_ids: collections.abc.Iterable[str]) -> None:
    """Repair ``arqs-of-no-server``."""
    unbind.devices(arq_ids)


def find_unused_profiles(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find hidden profiles without accelerator requests.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for name, row_id in profiles.of_no_arq(view.context).items():
        yield look.Finding(
            'profile-of-no-arq',
            name,
            'The hidden device profile has no accelerator request.',
            functools.partial(_remove_profile, row_id),
        )


def _remove_profile(row_id: int) -> None:
    """Repair ``profile-of-no-arq``."""
    profiles.remove(cyborg_context.get_admin_context(), row_id)
