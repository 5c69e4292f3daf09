# SPDX-License-Identifier: Apache-2.0

"""nova-api: errors of the project that a user is answered with."""

from __future__ import annotations

import collections.abc
import contextlib
import logging

from nova import exception as nova_exception

from nova_cyborg import exception

LOG = logging.getLogger(__name__)


class Refused(nova_exception.ValidationError):
    """An error that Nova's API answers with its own status and sentence.

    Of what is raised below Nova's controllers, only few exceptions get past
    their lists of expected errors; this kind is for requests that are wrong,
    and its status is left as it is. Any other would be answered with 500.

    :param error: what is wrong.
    """

    def __init__(self, error: exception.DeviceContextError) -> None:
        self.code = error.status
        super().__init__(detail=str(error))


@contextlib.contextmanager
def answering(what: str) -> collections.abc.Iterator[None]:
    """Answer with what is wrong in a block, and log it.

    :param what: what is done in the block, for the log.
    :returns: a context manager; it raises Refused for what is wrong.
    """
    try:
        yield
    except exception.DeviceContextError as exc:
        LOG.info('%s is refused: %s', what, exc)
        raise Refused(exc) from exc
