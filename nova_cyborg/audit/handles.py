# SPDX-License-Identifier: Apache-2.0

"""Attach handles, and the accelerator requests that have them or do not."""

import collections.abc
import functools

from cyborg import context as cyborg_context

from nova_cyborg.audit import look
from nova_cyborg.db.inventory import handles
from nova_cyborg.lifecycle import unbind


def find(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find attach handles whose use and whose ARQs disagree.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for handle in handles.of_no_arq(view.context):
        yield look.Finding(
            'handle-of-no-arq',
            handle.uuid,
            'The attach handle is in use, by no accelerator request.',
            functools.partial(_unbind, handle),
        )
    for handle_id, row_id in handles.free_but_of_arq(view.context).items():
        yield look.Finding(
            'free-handle-of-arq',
            handle_id,
            'An accelerator request uses the attach handle, which counts as '
            'free.',
            functools.partial(_mark_in_use, row_id),
        )
    for handle_id, count in handles.of_several_arqs(view.context).items():
        yield look.Finding(
            'handle-of-several-arqs',
            handle_id,
            f'{count} accelerator requests use the attach handle. Delete '
            'all but one of their servers.',
        )


def _unbind(handle: handles.Handle) -> None:
    """Repair ``handle-of-no-arq``."""
    unbind.handle(handle)


def _mark_in_use(row_id: int) -> None:
    """Repair ``free-handle-of-arq``."""
    handles.mark_in_use(cyborg_context.get_admin_context(), row_id)
