# SPDX-License-Identifier: Apache-2.0

"""A guest as libvirt and the outer machine see it, whatever it does."""

import collections.abc
import dataclasses
import pathlib
import re
import subprocess

from tools.seldom.guest import exception

#: Asks the libvirt of the guest's host, as virsh is asked.
Virsh = collections.abc.Callable[..., subprocess.CompletedProcess[str]]

# "paused (I/O error)", as virsh writes it.
_STATE = re.compile(r'(?P<word>[^(]+?)(?: \((?P<reason>.+)\))?\s*')
_PROCESSOR_TIME = re.compile(r'^CPU time:\s*([\d.]+)s$', re.MULTILINE)
_ENDED = ('crashed', 'pmsuspended', 'shut off')
# libvirt starts each guest as one that is paused.
_STARTING = 'starting up'
UNKNOWN = 'unknown'


@dataclasses.dataclass(frozen=True)
class State:
    """The state of a guest, as libvirt has it.

    :ivar word: such as running, paused or shut off.
    :ivar reason: why, or why the state is not known.
    """

    word: str
    reason: str = ''

    @property
    def is_final(self) -> bool:
        """Whether the guest does nothing more by itself."""
        if self.word == 'paused':
            return self.reason != _STARTING
        return self.word in _ENDED

    def __str__(self) -> str:
        return f'{self.word} ({self.reason})' if self.reason else self.word


@dataclasses.dataclass(frozen=True)
class Domain:
    """A guest.

    :ivar uuid: its UUID, which is its server's.
    :ivar console_log: the file with what it has written on its console.
    :ivar host_log: the file with what its host has written.
    :ivar virsh: asks the libvirt of its host.
    """

    uuid: str
    console_log: pathlib.Path
    host_log: pathlib.Path
    virsh: Virsh

    def console(self) -> str:
        """Return what the guest has written on its console.

        :returns: the text; empty if it has written nothing.
        :raises UnreadableLog: if that cannot be read.
        """
        return _read(self.console_log)

    def host(self) -> str:
        """Return what the guest's host has written.

        :returns: the text.
        :raises UnreadableLog: if that cannot be read.
        """
        return _read(self.host_log)

    def state(self) -> State:
        """Return the guest's state.

        :returns: the state; one that says why if it is not known.
        """
        try:
            return parse_state(self._ask('domstate', self.uuid, '--reason'))
        except exception.CommandFailed as error:
            return State(UNKNOWN, str(error))

    def processor_seconds(self) -> float | None:
        """Return for how long the guest's process has run on a processor.

        :returns: seconds, or None if libvirt does not say so.
        """
        try:
            match = _PROCESSOR_TIME.search(self._ask('dominfo', self.uuid))
        except exception.CommandFailed:
            return None
        return match and float(match[1])

    def _ask(self, *arguments: str) -> str:
        command = ('virsh', *arguments)
        try:
            done = self.virsh(*arguments)
        except subprocess.TimeoutExpired as error:
            raise exception.CommandFailed(command, str(error)) from error
        if done.returncode:
            raise exception.CommandFailed(command, done.stderr.strip())
        return done.stdout


def parse_state(printed: str) -> State:
    """Read what ``virsh domstate --reason`` prints.

    :param printed: the output.
    :returns: the state.
    """
    match = _STATE.fullmatch(printed)
    if match is None:
        return State(UNKNOWN, f'virsh says {printed!r}')
    return State(match['word'], match['reason'] or '')


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(errors='replace')
    except OSError as error:
        raise exception.UnreadableLog(path, error) from error
