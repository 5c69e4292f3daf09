# SPDX-License-Identifier: Apache-2.0

"""The database server: MariaDB or PostgreSQL."""

import abc
import pathlib
import pwd
import subprocess

import sqlalchemy
from sqlalchemy import exc

from tools.cloud import exception
from tools.cloud.machine import ports
from tools.cloud.model import addresses, programs
from tools.cloud.model import state as cloud_state
from tools.cloud.production.servers import rabbitmq

LISTENERS = ('database',)
_POSTGRESQL = pathlib.Path('/usr/lib/postgresql')


class Server(abc.ABC):
    """A database server.

    :ivar maintenance: a database that is always there.
    """

    maintenance: str
    _create: str

    def __init__(self, state: cloud_state.State) -> None:
        self._state = state
        self._folder = state.folder('database')
        self._data = self._folder / 'data'
        self._port = str(state.settings.ports['database'])
        self._password = state.settings.passwords['database']

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the server's own files.

        :raises StepFailed: if that fails.
        """

    @abc.abstractmethod
    def command(self) -> tuple[str, ...]:
        """Return what runs the server."""

    def program(self) -> programs.Program:
        """Return the server's program."""
        return programs.Program(
            name='database',
            service=rabbitmq.SERVICE,
            command=self.command(),
            is_ready=self._answers,
            stop_seconds=30,
        )

    def create(self, name: str, character_set: str = 'utf8mb3') -> None:
        """Make a database.

        :param name: its name.
        :param character_set: that of its texts, where there is a choice; by
            default what the services' installation guides say.
        """
        statement = self._create.format(name=name, character_set=character_set)
        self._execute(statement)

    def _answers(self) -> bool:
        try:
            self._execute('SELECT 1')
        except exc.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        url = addresses.database(self._state, self.maintenance)
        engine = sqlalchemy.create_engine(
            url, poolclass=sqlalchemy.NullPool, isolation_level='AUTOCOMMIT'
        )
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(statement))

    def _run(self, *command: str) -> None:
        with self._state.log('database-made').open('w') as log:
            code = subprocess.call(command, stdout=log, stderr=log)
        if code:
            raise exception.StepFailed(
                "The database server's files cannot be made.", 'database-made'
            )


class MariaDB(Server):
    """MariaDB, as root: the files stay with who brings the cloud up."""

    maintenance = 'mysql'
    _create = (
        'CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET {character_set}'
    )

    def prepare(self) -> None:
        """Make the server's own files, and its user."""
        self._run(
            'mariadb-install-db',
            '--no-defaults',
            '--user=root',
            f'--datadir={self._data}',
            '--auth-root-authentication-method=normal',
            '--skip-test-db',
        )
        (self._folder / 'users.sql').write_text(
            f"CREATE USER IF NOT EXISTS '{addresses.USER}'@'%' "
            f"IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL ON *.* TO '{addresses.USER}'@'%';\n"
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{self._password}'"
            ';\n'
        )

    def command(self) -> tuple[str, ...]:
        """Return what runs the server."""
        return (
            'mariadbd',
            '--no-defaults',
            '--user=root',
            f'--datadir={self._data}',
            f'--init-file={self._folder / "users.sql"}',
            f'--bind-address={ports.HOST}',
            f'--port={self._port}',
            # In the data folder: a longer path could be too long.
            '--socket=socket',
            '--skip-name-resolve',
            '--max-connections=2000',
            '--innodb-buffer-pool-size=256M',
            # What it has committed outlives it, but not the machine.
            '--innodb-flush-log-at-trx-commit=2',
        )


class PostgreSQL(Server):
    """PostgreSQL, which refuses to be root.

    In a user namespace our user, and only ours, has another name, so that no
    other user needs a way to the cloud's folder.
    """

    maintenance = 'postgres'
    _create = 'CREATE DATABASE {name}'

    def prepare(self) -> None:
        """Make the server's own files, and its user."""
        password = self._folder / 'password'
        password.write_text(self._password)
        self._run(
            *self._as_somebody('initdb'),
            f'--pgdata={self._data}',
            f'--username={addresses.USER}',
            f'--pwfile={password}',
            '--auth=scram-sha-256',
            '--encoding=UTF8',
            '--no-locale',
            '--no-sync',
        )

    def command(self) -> tuple[str, ...]:
        """Return what runs the server."""
        settings = {
            'port': self._port,
            'listen_addresses': ports.HOST,
            'unix_socket_directories': '',
            'max_connections': '1000',
            'shared_buffers': '128MB',
            # What it has committed outlives it, but not the machine.
            'fsync': 'off',
        }
        return (
            *self._as_somebody('postgres'),
            '-D',
            str(self._data),
            *(f'--{name}={value}' for name, value in settings.items()),
        )

    def _as_somebody(self, name: str) -> tuple[str, ...]:
        user = pwd.getpwnam('postgres').pw_uid
        return (
            'unshare',
            '--user',
            f'--map-user={user}',
            str(_newest(_POSTGRESQL) / 'bin' / name),
        )


def _newest(folder: pathlib.Path) -> pathlib.Path:
    versions = [path for path in folder.iterdir() if path.name.isdigit()]
    return max(versions, key=lambda path: int(path.name))


_SERVERS: dict[str, type[Server]] = {
    'mariadb': MariaDB,
    'postgresql': PostgreSQL,
}
KINDS = tuple(_SERVERS)


def server(state: cloud_state.State) -> Server:
    """Return a cloud's database server."""
    return _SERVERS[state.settings.database](state)
