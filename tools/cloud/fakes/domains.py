# SPDX-License-Identifier: Apache-2.0

"""The guests of the fake hypervisors, as files.

They are what a hypervisor knows of its guests: it remembers them when Nova's
process is started again, and has those that another host's has migrated to it.
Everybody else reads.
"""

import dataclasses
import os
import pathlib

from tools.cloud import exception

_RUNNING = '.running'
_PAUSED = '.paused'
_SAVED = '.saved'
_XML = '.xml'
_URI = 'qemu:///'


@dataclasses.dataclass(frozen=True)
class Guest:
    """What a hypervisor knows of a guest.

    :ivar stored: the definition that it is started with.
    :ivar live: the definition of what runs; None if it does not.
    :ivar saved: the definition of what has been saved; None if it has not.
    :ivar paused: whether what runs is paused.
    """

    stored: str
    live: str | None = None
    saved: str | None = None
    paused: bool = False


class DomainStore:
    """The guests of one host.

    :param folder: where its files are.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def of_host(self, host: str) -> 'DomainStore | None':
        """Return those of another host of the cloud.

        :param host: the host's name.
        :returns: None if there is no such host with a fake hypervisor.
        """
        folder = self._folder.parent / host
        return DomainStore(folder) if folder.is_dir() else None

    def server_ids(self) -> list[str]:
        """Return the guests that there are.

        :returns: the UUIDs of their servers.
        """
        return sorted(path.stem for path in self._folder.glob(f'*{_XML}'))

    def read(self, server_id: str) -> Guest:
        """Return what is known of a guest.

        :raises FileNotFoundError: if there is no such guest.
        """
        return Guest(
            self._path(server_id, _XML).read_text(),
            self._read(server_id, _RUNNING),
            self._read(server_id, _SAVED),
            self._path(server_id, _PAUSED).exists(),
        )

    def write(self, server_id: str, guest: Guest) -> None:
        """Keep what is known of a guest.

        :param guest: what is known.
        """
        self._write(server_id, _RUNNING, guest.live)
        self._write(server_id, _SAVED, guest.saved)
        self._write(server_id, _PAUSED, '' if guest.paused else None)
        # Last: with it, a hypervisor has a guest that is migrated to it.
        self._write(server_id, _XML, guest.stored)

    def remove(self, server_id: str) -> None:
        """Forget a guest."""
        for suffix in (_RUNNING, _PAUSED, _SAVED, _XML):
            self._path(server_id, suffix).unlink(missing_ok=True)

    def _path(self, server_id: str, suffix: str) -> pathlib.Path:
        return self._folder / f'{server_id}{suffix}'

    def _read(self, server_id: str, suffix: str) -> str | None:
        try:
            return self._path(server_id, suffix).read_text()
        except FileNotFoundError:
            return None

    def _write(self, server_id: str, suffix: str, text: str | None) -> None:
        path = self._path(server_id, suffix)
        if text is None:
            path.unlink(missing_ok=True)
            return
        temporary = path.with_suffix(f'{suffix}.new')
        temporary.write_text(text)
        # Readers find the old text or the new one, never a half.
        os.replace(temporary, path)


def uri(host: str) -> str:
    """Return the address that a host's libvirt driver connects to.

    :returns: the libvirt URI.
    """
    return _URI + host


def find(folder: pathlib.Path, server_id: str) -> str:
    """Return a server's guest definition, whatever its host.

    A server that is moved has a guest on two hosts, of which one runs.

    :param folder: the folder of all hosts' guests.
    :returns: the XML of what runs, else that which it is started with.
    :raises NoGuest: if no host has it.
    """
    for suffix in (_RUNNING, _XML):
        for path in folder.glob(f'*/{server_id}{suffix}'):
            try:
                return path.read_text()
            except FileNotFoundError:
                # It has just stopped.
                continue
    raise exception.NoGuest(server_id)
