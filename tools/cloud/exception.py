# SPDX-License-Identifier: Apache-2.0

"""Every error that the cloud raises: a class and a sentence."""

import collections.abc
import pathlib


class CloudError(Exception):
    """Base of the cloud's errors; its text is meant for the user."""


class NotRunning(CloudError):
    """There is no cloud in the state folder."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(
            f'No cloud runs in {path}. Start one with "up", or name its '
            'folder with --state.'
        )


class ForeignFolder(CloudError):
    """The state folder holds something that no cloud has made."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(
            f'{path} is not empty and was not made by this tool, so it is '
            'left alone. Choose another folder with --state.'
        )


class BadFolder(CloudError):
    """A state folder whose name means something in configuration files."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(
            f'{path} has a % or a $ in it, which the services would take for '
            'a reference. Choose another folder with --state.'
        )


class UnusableFolder(CloudError):
    """A state folder that cannot be made, or written to."""

    def __init__(self, path: pathlib.Path, reason: str) -> None:
        super().__init__(
            f'{path} cannot be the folder of a cloud: {reason}. Choose '
            'another one with --state.'
        )


class UnknownService(CloudError):
    """A service name that the cloud does not have."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no service {name!r}. Choose one of: {", ".join(known)}.'
        )


class NoGuest(CloudError):
    """No libvirt has a domain for the server."""

    def __init__(self, server_id: str) -> None:
        super().__init__(
            f'No host has a guest for server {server_id}. Is it ACTIVE, and '
            'is this its UUID?'
        )


class BadDevices(CloudError):
    """A devices file that cannot be read."""

    def __init__(self, path: pathlib.Path, reason: str) -> None:
        super().__init__(f'Devices file {path}: {reason}')


class TooManyDevices(CloudError):
    """There are more devices files than hosts."""

    def __init__(self, files: int, hosts: int) -> None:
        super().__init__(
            f'{files} devices files are given for {hosts} compute '
            f'host{"s" if hosts > 1 else ""}. Give --computes {files}, or '
            'fewer --devices.'
        )


class BadNumber(CloudError):
    """A number of hosts, or of seconds, that is none."""

    def __init__(self, field: str, value: float, needed: str) -> None:
        super().__init__(f'"{field}" is {value}, and must be {needed}.')


class UnknownKind(CloudError):
    """A kind of cloud that there is not."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no kind of cloud {name!r}. Choose one of: '
            f'{", ".join(known)}.'
        )


class BadDatabase(CloudError):
    """A database that clouds of the kind do not have."""

    def __init__(
        self, kind: str, database: str, known: tuple[str, ...]
    ) -> None:
        super().__init__(
            f'A cloud of the kind {kind} has no {database} database. Choose '
            f'one of {", ".join(known)}, or another kind of cloud: "up '
            '--help" has them.'
        )


class NoRealHosts(CloudError):
    """Real hypervisors are wanted of a kind of cloud that has none."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f'A cloud of the kind {kind} takes no --real-hosts. Leave it '
            'out, or choose another kind (--production).'
        )


class TooManyHosts(CloudError):
    """More compute hosts are wanted than there can be."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(
            f'A cloud of the kind {kind} has at most {most} compute hosts. '
            'Ask for fewer.'
        )


class StepFailed(CloudError):
    """A step of ``up`` did not come to its end.

    :ivar service: the service whose log says more, if one is to blame.
    """

    def __init__(self, reason: str, service: str | None = None) -> None:
        super().__init__(reason)
        self.service = service


class NotInstalled(CloudError):
    """The environment has no nova_cyborg."""

    def __init__(self) -> None:
        super().__init__(
            'nova_cyborg is not installed here, so that no service finds it. '
            'Install it (pip install -e .[nova,cyborg]), or leave it out '
            'with --no-plugin.'
        )


class NotRoot(CloudError):
    """Somebody else than root asks for what only root can do."""

    def __init__(self) -> None:
        super().__init__(
            'A production-like cloud, or one with hypervisor machines, can '
            'be run by root only: it installs packages, and runs servers '
            'that expect it. The embedded one (without --production and '
            '--passthrough) can be run by anybody.'
        )


class MissingPackages(CloudError):
    """Packages of the machine that are missing and cannot be installed."""

    def __init__(
        self, names: collections.abc.Iterable[str], reason: str
    ) -> None:
        super().__init__(
            f'Packages cannot be installed ({" ".join(names)}): {reason}'
        )


class MissingModules(CloudError):
    """The environment lacks modules that a production-like cloud needs."""

    def __init__(self, requirements: pathlib.Path) -> None:
        super().__init__(
            'The Python environment lacks what a production-like cloud needs. '
            f'Install it (pip install -r {requirements}), or use the one of '
            '"tox -e cloud".'
        )


class OtherPython(CloudError):
    """libvirt's module is for the machine's Python, and another one runs."""

    def __init__(self, folder: pathlib.Path, suffix: str) -> None:
        super().__init__(
            f'{folder} has no libvirtmod{suffix}: its module is for another '
            "Python than the one that runs this. Use the machine's own, or "
            'install the module (pip install libvirt-python).'
        )
