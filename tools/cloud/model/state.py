# SPDX-License-Identifier: Apache-2.0

"""Where a cloud's files are: all in one folder.

``cloud.json`` in it says how the cloud was made; that file also marks the
folder as ours to remove.

Some arguments are the same all over tools, and explained here: ``state`` is
that of the cloud that is meant, ``host`` the name of a compute host,
``server_id`` the UUID of a server, and ``admin`` the session of the
administrator.
"""

import dataclasses
import json
import pathlib

from tools.cloud.machine import ports
from tools.cloud.model import settings as cloud_settings

_API_PATHS = {'keystone': '/v3', 'nova': '/v2.1', 'cyborg': '/v2'}
# Glance takes the folder from us and the name from itself.
_CONFIGS = {'glance': 'glance-api.conf'}
_MARKER = 'cloud.json'


class State:
    """A cloud's folder.

    :param path: the folder.
    :param settings: how the cloud was made.
    """

    def __init__(
        self, path: pathlib.Path, settings: cloud_settings.Settings
    ) -> None:
        self.path = path
        self.settings = settings

    @classmethod
    def load(cls, path: pathlib.Path) -> 'State | None':
        """Read the cloud of a folder.

        :param path: the folder.
        :returns: the cloud's state, or None if the folder has none.
        """
        try:
            text = (path / _MARKER).read_text()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(path, cloud_settings.Settings(**json.loads(text)))

    def save(self) -> None:
        """Make the folder, for nobody else to read, and its marker."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        text = json.dumps(dataclasses.asdict(self.settings), indent=2)
        (self.path / _MARKER).write_text(text + '\n')
        for name in ('log', 'db', 'images', 'devices'):
            (self.path / name).mkdir(exist_ok=True)

    def url(self, service: str) -> str:
        """Return the address of a service's API.

        :param service: the service's name.
        :returns: its URL, as in Keystone's catalog.
        """
        port = self.settings.ports[service]
        return f'http://{ports.HOST}:{port}{_API_PATHS.get(service, "")}'

    def log(self, service: str) -> pathlib.Path:
        """Return a service's log file.

        :param service: the service's name.
        :returns: the file's path.
        """
        return self.path / 'log' / f'{service}.log'

    def ready(self, service: str) -> pathlib.Path:
        """Return the file that is there while a service has all started.

        An API may answer before what is behind it in the same process does.

        :param service: the service's name.
        :returns: the file's path.
        """
        return self.folder('ready') / service

    def folder(self, *names: str) -> pathlib.Path:
        """Return a folder in this one, made if need be.

        :param names: the parts of its path.
        """
        path = self.path.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def config(self, service: str) -> pathlib.Path:
        """Return a service's configuration file.

        :param service: the service's name.
        :returns: the file's path.
        """
        return self.folder('etc', service) / _CONFIGS.get(
            service, f'{service}.conf'
        )

    def devices(self, host: str) -> pathlib.Path:
        """Return the file that lists a host's accelerators.

        :returns: the file's path.
        """
        return self.path / 'devices' / f'{host}.yaml'
