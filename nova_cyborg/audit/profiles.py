# SPDX-License-Identifier: Apache-2.0

"""Hidden device profiles that nothing uses."""

import collections.abc
import functools

from cyborg import context as cyborg_context

from nova_cyborg.audit import look
from nova_cyborg.db import profiles


def find(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find hidden profiles without accelerator requests.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for name, row_id in profiles.of_no_arq(view.context).items():
        yield look.Finding(
            'profile-of-no-arq',
            name,
            'The hidden device profile has no accelerator request.',
            functools.partial(_remove, row_id),
        )


def _remove(row_id: int) -> None:
    """Repair ``profile-of-no-arq``."""
    profiles.remove(cyborg_context.get_admin_context(), row_id)
