# SPDX-License-Identifier: Apache-2.0

"""RabbitMQ, and the port mapper that Erlang wants beside it."""

import base64
import hashlib
import json
import secrets

import amqp
from kombu import connection as kombu_connection
from kombu import exceptions as kombu_exceptions

from tools.cloud.machine import ports
from tools.cloud.model import addresses, programs
from tools.cloud.model import state as cloud_state
from tools.cloud.production import topology

LISTENERS = ('rabbitmq', 'rabbitmq-cluster', 'epmd')
SERVICE = 'infrastructure'

# Debian's /usr/sbin/rabbitmq-server changes to a user of its own first.
_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
_SECONDS = 5


def write_files(state: cloud_state.State) -> None:
    """Write RabbitMQ's configuration, and what it has from the start."""
    folder = state.folder('rabbitmq')
    definitions = folder / 'definitions.json'
    definitions.write_text(json.dumps(_definitions(state), indent=2))
    (folder / 'enabled_plugins').write_text('[].\n')
    (folder / 'env.conf').touch()
    port = state.settings.ports['rabbitmq']
    (folder / 'rabbitmq.conf').write_text(
        f'listeners.tcp.1 = {ports.HOST}:{port}\n'
        f'load_definitions = {definitions}\n'
        'log.console = true\n'
        'log.console.level = warning\n'
        'log.file = false\n'
        # The machine is shared, and may be small.
        'disk_free_limit.absolute = 100MB\n'
    )


def _definitions(state: cloud_state.State) -> dict[str, object]:
    buses = ['/', *topology.CELLS]
    everything = {'configure': '.*', 'write': '.*', 'read': '.*'}
    return {
        'vhosts': [{'name': name} for name in buses],
        'users': [
            {
                'name': addresses.USER,
                'password_hash': _hash(state.settings.passwords['rabbitmq']),
                'hashing_algorithm': 'rabbit_password_hashing_sha256',
                'tags': 'administrator',
            }
        ],
        'permissions': [
            {'user': addresses.USER, 'vhost': name, **everything}
            for name in buses
        ],
    }


def _hash(password: str) -> str:
    """Hash a password as RabbitMQ stores it."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return base64.b64encode(salt + digest).decode()


def all_programs(state: cloud_state.State) -> list[programs.Program]:
    """Return the broker's programs."""
    port = str(state.settings.ports['epmd'])
    return [
        programs.Program(
            name='epmd',
            service=SERVICE,
            command=('epmd', '-address', ports.HOST, '-port', port),
            is_ready=lambda: not ports.is_free(int(port)),
            environment={'ERL_EPMD_RELAXED_COMMAND_CHECK': '1'},
        ),
        programs.Program(
            name='rabbitmq',
            service=SERVICE,
            command=(_SERVER,),
            is_ready=lambda: _answers(state),
            environment=_environment(state),
            stop_seconds=20,
        ),
    ]


def _environment(state: cloud_state.State) -> dict[str, str]:
    folder = state.folder('rabbitmq')
    return {
        # Where Erlang keeps its cookie.
        'HOME': str(folder),
        'ERL_EPMD_PORT': str(state.settings.ports['epmd']),
        'RABBITMQ_CONF_ENV_FILE': str(folder / 'env.conf'),
        'RABBITMQ_CONFIG_FILE': str(folder / 'rabbitmq.conf'),
        'RABBITMQ_ENABLED_PLUGINS_FILE': str(folder / 'enabled_plugins'),
        'RABBITMQ_MNESIA_BASE': str(folder / 'mnesia'),
        'RABBITMQ_LOG_BASE': str(folder / 'log'),
        'RABBITMQ_PID_FILE': str(folder / 'pid'),
        'RABBITMQ_NODENAME': 'cloud@localhost',
        'RABBITMQ_DIST_PORT': str(state.settings.ports['rabbitmq-cluster']),
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel '
        'inet_dist_use_interface {127,0,0,1}',
        # No shell in between that would have to pass signals on.
        'RUNNING_UNDER_SYSTEMD': 'true',
    }


def _answers(state: cloud_state.State) -> bool:
    try:
        with _connect(state, topology.CELLS[-1]) as connection:
            connection.connect()
    except (OSError, amqp.AMQPError):
        return False
    return True


def has_consumer(state: cloud_state.State, cell: str, queue: str) -> bool:
    """Tell whether a service listens to its calls.

    :param cell: whose bus; empty for that of what is above the cells.
    :param queue: the service's topic and host, with a dot between.
    :returns: True if it does.
    """
    try:
        with _connect(state, cell) as connection:
            found = connection.default_channel.queue_declare(
                queue, passive=True
            )
    except (OSError, amqp.AMQPError, kombu_exceptions.KombuError):
        # Kombu has its own name for one that does not answer in time.
        return False
    return bool(found.consumer_count)


def _connect(
    state: cloud_state.State, cell: str
) -> kombu_connection.Connection:
    url = addresses.bus(state, cell).replace('rabbit:', 'amqp:', 1)
    return kombu_connection.Connection(url, connect_timeout=_SECONDS)
