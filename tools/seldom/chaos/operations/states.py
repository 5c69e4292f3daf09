# SPDX-License-Identifier: Apache-2.0

"""A server is suspended, shelved or rebuilt."""

from tools.seldom.chaos.operations import acting

_SUSPENDED = 'SUSPENDED'
_SHELVED = 'SHELVED_OFFLOADED'


class States:
    """Has servers end and begin anew, of one who boots them.

    :param deeds: has it done.
    :param image: UUID of the image that they are rebuilt with.
    """

    def __init__(self, deeds: acting.Acting, image: str) -> None:
        self._deeds = deeds
        self._image = image

    def suspend(self, server_id: str) -> str:
        """Suspend a server, and resume it.

        :returns: its status after that.
        """
        status = self._act(server_id, 'suspend', _SUSPENDED)
        if status == _SUSPENDED:
            status = self._deeds.act(self._deeds.user, server_id, 'resume')
        return status

    def shelve(self, server_id: str) -> str:
        """Shelve a server, and unshelve it.

        :returns: its status after that.
        """
        # Its slots are another one's as soon as it is offloaded.
        self._deeds.notes.leaves(server_id)
        status = self._act(server_id, 'shelve', _SHELVED)
        if status == _SHELVED:
            # If there is no host for it, it stays shelved.
            status = self._act(server_id, 'unshelve', _SHELVED)
        return status

    def rebuild(self, server_id: str) -> str:
        """Rebuild a server.

        :returns: its status after that.
        """
        arguments = {'imageRef': self._image}
        return self._deeds.act(
            self._deeds.user, server_id, 'rebuild', arguments=arguments
        )

    def _act(self, server_id: str, action: str, status: str) -> str:
        ends = (status, *acting.ENDS)
        return self._deeds.act(self._deeds.user, server_id, action, ends)
