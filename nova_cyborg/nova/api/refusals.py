# SPDX-License-Identifier: Apache-2.0

"""nova-api: errors of the project that a user is answered with."""

from __future__ import annotations

from nova import exception as nova_exception

from nova_cyborg import exception


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
