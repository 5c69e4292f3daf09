# SPDX-License-Identifier: Apache-2.0

"""Deleting several at once: one that fails does not keep the others."""

import collections.abc
import logging

from osc_lib import exceptions as osc_exc


def delete_each(
    delete: collections.abc.Callable[[str], None],
    given: collections.abc.Sequence[str],
    kind: str,
    log: logging.Logger,
) -> None:
    """Delete resources.

    :param delete: deletes one of them; raises ``CommandError`` if it fails.
    :param given: their ids, as the user typed them.
    :param kind: what they are, as in ``device context``.
    :param log: where to say which have failed.
    :raises CommandError: if some have failed; the others are deleted.
    """
    failed = 0
    for each in given:
        try:
            delete(each)
        except osc_exc.CommandError as error:
            failed += 1
            log.error('Failed to delete %s %s: %s', kind, each, error)
    if failed:
        raise osc_exc.CommandError(
            f'{failed} of {len(given)} {kind}s failed to delete.'
        )
