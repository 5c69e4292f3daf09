# SPDX-License-Identifier: Apache-2.0

"""The guests that the fake hypervisors were given, as files.

Nova's process writes them; everybody else reads. They also let the fake
hypervisors remember their guests when Nova's process is started again.
"""

import os
import pathlib

from tools.cloud import exception

_RUNNING = '.running'
_XML = '.xml'
_URI = 'qemu:///'


class DomainStore:
    """The guests of one host.

    :param folder: where its files are.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, server_id: str, xml: str) -> None:
        """Keep what libvirt was given for a guest.

        :param xml: the guest's definition, as it was given.
        """
        path = self._folder / f'{server_id}{_XML}'
        temporary = path.with_suffix('.new')
        temporary.write_text(xml)
        # Readers find the old definition or the new one, never a half.
        os.replace(temporary, path)

    def remove(self, server_id: str) -> None:
        """Forget a guest."""
        self.set_running(server_id, False)
        (self._folder / f'{server_id}{_XML}').unlink(missing_ok=True)

    def set_running(self, server_id: str, running: bool) -> None:
        """Remember whether a guest runs.

        :param running: whether it does.
        """
        path = self._folder / f'{server_id}{_RUNNING}'
        if running:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def load(self) -> list[tuple[str, bool]]:
        """Return the guests.

        :returns: each guest's definition, and whether it runs.
        """
        return [
            (path.read_text(), path.with_suffix(_RUNNING).exists())
            for path in sorted(self._folder.glob(f'*{_XML}'))
        ]


def uri(host: str) -> str:
    """Return the address that a host's libvirt driver connects to.

    :returns: the libvirt URI.
    """
    return _URI + host


def find(folder: pathlib.Path, server_id: str) -> str:
    """Return a server's guest definition, whatever its host.

    :param folder: the folder of all hosts' guests.
    :returns: the XML that Nova's driver gave to libvirt.
    :raises NoGuest: if no host has it.
    """
    for path in folder.glob(f'*/*{_XML}'):
        if path.stem == server_id:
            return path.read_text()
    raise exception.NoGuest(server_id)
