# SPDX-License-Identifier: Apache-2.0

"""A cloud that is up: what can be asked of it, and done to its services."""

import dataclasses
import os
import pathlib

from tools.cloud import exception, kinds, waiting
from tools.cloud.machine import installation
from tools.cloud.model import addresses, credentials
from tools.cloud.model import programs as cloud_programs
from tools.cloud.model import settings as cloud_settings
from tools.cloud.model import state as cloud_state
from tools.cloud.supervisor import supervisord

VARIABLE = 'NOVA_CYBORG_CLOUD'


@dataclasses.dataclass(frozen=True)
class ServiceStatus:
    """A line of ``status``.

    :ivar name: the program's name.
    :ivar state: the supervisor's word for its state.
    :ivar pid: its process id, 0 if it does not run.
    :ivar url: the address of its API, if it has one.
    """

    name: str
    state: str
    pid: int
    url: str

    @property
    def running(self) -> bool:
        """Whether the service runs."""
        return self.state == cloud_programs.RUNNING


class RunningCloud:
    """A cloud in a folder; what it is asked while it is not up is refused.

    Each method but :meth:`is_running` may raise NotRunning.

    :param folder: the folder; by default the one that the environment names,
        else ``.cloud`` in the repository.
    :raises BadFolder: if the services could not bear its name.
    """

    def __init__(self, folder: pathlib.Path | str | None = None) -> None:
        self.folder = pathlib.Path(
            folder or os.environ.get(VARIABLE) or installation.ROOT / '.cloud'
        ).absolute()
        if set('%$') & set(str(self.folder)):
            raise exception.BadFolder(self.folder)

    def is_running(self) -> bool:
        """Tell whether the cloud's supervisor runs."""
        return (
            cloud_state.State.load(self.folder) is not None
            and supervisord.find(self.folder) is not None
        )

    def kind(self) -> str:
        """Return the cloud's kind: embedded or production."""
        return self._state().settings.kind

    def hosts(self) -> list[str]:
        """Return the names of the compute hosts."""
        return self._state().settings.hosts

    def status(self) -> list[ServiceStatus]:
        """Return the state of the services' programs.

        :returns: one entry each.
        """
        urls = {each.name: each.url for each in self._programs()}
        return [
            ServiceStatus(
                each['name'],
                each['statename'],
                each['pid'],
                urls[each['name']],
            )
            for each in self._supervisor().processes()
        ]

    def environment(self, user: str = 'admin') -> dict[str, str]:
        """Return the variables with which OpenStack's clients log in.

        :param user: admin, demo or other.
        :returns: variables and their values.
        """
        return credentials.environment(self._state(), user)

    def url(self, service: str) -> str:
        """Return the address of a service's API.

        :param service: the service's name.
        :returns: its URL.
        :raises UnknownService: if there is no such service.
        """
        if service not in cloud_settings.SERVICES:
            raise exception.UnknownService(service, cloud_settings.SERVICES)
        return self._state().url(service)

    def database_url(self, name: str) -> str:
        """Return the address of a database.

        :param name: the database's name, such as cyborg.
        :returns: its URL, as SQLAlchemy reads it.
        """
        return addresses.database(self._state(), name)

    def domain_xml(self, server_id: str) -> str:
        """Return what libvirt has of a server.

        :returns: the guest's XML: as Nova's driver gave it to a fake libvirt,
            or as a real one made of it.
        :raises NoGuest: if no host has a guest for the server.
        """
        state = self._state()
        return kinds.of(state.settings.kind).domain_xml(state, server_id)

    def log_paths(self, service: str | None = None) -> dict[str, pathlib.Path]:
        """Return the log files.

        :param service: a service or one of its programs; by default all.
        :returns: the path of each program's log.
        :raises NotRunning: if there is no cloud.
        :raises UnknownService: if there is no such service.
        """
        state = self._state(running=False)
        chosen = self._programs() if service is None else self._named(service)
        return {each.name: state.log(each.name) for each in chosen}

    def stop_service(self, service: str) -> None:
        """Stop a service, and wait until it has ended.

        :param service: the service's name, or that of one of its programs.
        :raises UnknownService: if there is no such service.
        """
        self._named(service)
        self._supervisor().stop_service(service)

    def kill_service(self, service: str) -> None:
        """Send SIGKILL to a service's processes, and wait for their end.

        Nothing starts it again but :meth:`start_service`.

        :param service: the service's name, or that of one of its programs.
        :raises UnknownService: if there is no such service.
        """
        self._named(service)
        self._supervisor().kill_service(service)

    def is_ready(self, service: str) -> bool:
        """Tell whether all of a service has started.

        :param service: the service's name, or that of one of its programs.
        :returns: whether it has.
        :raises UnknownService: if there is no such service.
        """
        return all(each.is_ready() for each in self._named(service))

    def launch_service(self, service: str) -> None:
        """Start a stopped service, and do not wait for it.

        :param service: the service's name, or that of one of its programs.
        :raises UnknownService: if there is no such service.
        """
        self._named(service)
        self._supervisor().start_service(service)

    def start_service(self, service: str, seconds: float = 120) -> None:
        """Start a stopped service, and wait until all of it has started.

        :param service: the service's name, or that of one of its programs.
        :param seconds: how long it may take.
        :raises UnknownService: if there is no such service.
        :raises StepFailed: if it does not start in time.
        """
        started = self._named(service)
        names = {each.name for each in started}
        supervisor = self._supervisor()
        self.launch_service(service)
        for each in started:
            waiting.until(
                f'{each.name} to start',
                each.is_ready,
                seconds,
                lambda: supervisor.check(names),
            )

    def _named(self, service: str) -> list[cloud_programs.Program]:
        every = self._programs()
        chosen = cloud_programs.named(every, service)
        if not chosen:
            names = {name for each in every for name in _names(each)}
            raise exception.UnknownService(service, tuple(sorted(names)))
        return chosen

    def _programs(self) -> list[cloud_programs.Program]:
        state = self._state(running=False)
        return kinds.of(state.settings.kind).programs(state)

    def _state(self, running: bool = True) -> cloud_state.State:
        state = cloud_state.State.load(self.folder)
        if state is None or (running and not self.is_running()):
            raise exception.NotRunning(self.folder)
        return state

    def _supervisor(self) -> supervisord.Supervisor:
        return supervisord.Supervisor(self._state())


def _names(program: cloud_programs.Program) -> tuple[str, str]:
    return program.name, program.service
