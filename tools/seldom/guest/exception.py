# SPDX-License-Identifier: Apache-2.0

"""Every error of making a guest: a class and a sentence."""

import pathlib

from tools.cloud import exception


class GuestError(exception.CloudError):
    """Base of the guest's errors; its text is meant for the user."""


class NoPackage(GuestError):
    """The package manager does not know a package."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f'apt-get finds no package {name}: {reason}. The guest is made '
            'of the distribution\'s packages; run "apt-get update" (as root) '
            'if this machine has none of its lists.'
        )


class NotDebian(GuestError):
    """The machine has packages of another kind."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'The guest is made of packages of Debian or Ubuntu, and this '
            f'machine has {name}.'
        )


class NoModule(GuestError):
    """The kernel package lacks a module."""

    def __init__(self, name: str) -> None:
        super().__init__(f'The packages of the kernel have no module {name}.')


class NoKernel(GuestError):
    """The kernel package's file has no kernel that can be unpacked."""

    def __init__(self) -> None:
        super().__init__(
            'The kernel of the kernel package is not compressed with xz, as '
            'it is in Debian.'
        )


class CommandFailed(GuestError):
    """A command that makes a part of the guest has failed."""

    def __init__(self, command: tuple[str, ...], reason: str) -> None:
        super().__init__(f'"{" ".join(command)}" failed: {reason}')


class UnreadableLog(GuestError):
    """A file with what a guest or its host has written is out of reach."""

    def __init__(self, path: pathlib.Path, error: OSError) -> None:
        super().__init__(
            f'{path} cannot be read: {error.strerror or str(error)}'
        )


class GuestNotReady(GuestError):
    """There is no use in waiting any longer for a guest."""

    def __init__(self, uuid: str, why: str, seen: str) -> None:
        super().__init__(f'The guest {uuid} is not ready: {why}.\n{seen}')
