# SPDX-License-Identifier: Apache-2.0

"""Nova in one process: API, conductor, scheduler and computes.

They talk over oslo.messaging's in-memory bus, as they would over a broker.
"""

import contextlib
import os
import signal
import typing as ty

import nova.conf
from nova import context, service
from nova.api.openstack import wsgi_app
from nova.compute import rpcapi as compute_rpcapi
from nova.objects import host_mapping
from nova.virt import node

from tools.cloud.embedded import overrides, partners, wsgi
from tools.cloud.embedded.nova import cells
from tools.cloud.machine import installation
from tools.cloud.model import state as cloud_state

CONF = nova.conf.CONF

_API = 'osapi_compute'
_PROGRAM = 'nova-api-os-compute'


class Hypervisors(ty.Protocol):
    """What the computes of the process have for hypervisors."""

    def install(self, state: cloud_state.State, hosts: list[str]) -> None:
        """Prepare the process.

        :param hosts: the hosts that the process has computes of.
        """

    def uri(self, state: cloud_state.State, host: str) -> str:
        """Return the address that a host's libvirt driver connects to.

        :returns: the libvirt URI.
        """


def run(state: cloud_state.State, hypervisors: Hypervisors) -> None:
    """Run Nova.

    :param hypervisors: the hypervisors.
    """
    config = str(state.config('nova'))
    paste = str(installation.packaged('nova', 'api-paste.ini'))
    # The application wants the paste file first, by this variable only.
    os.environ['OS_NOVA_CONFIG_FILES'] = f'{paste};{config}'
    wsgi_app.init_global_data([config], _API, _PROGRAM)
    cells.create(state)
    hypervisors.install(state, state.settings.hosts)
    application = wsgi_app.init_application(_API, _PROGRAM)
    wsgi.serve_in_background(state, 'nova', application)
    services = [_start('conductor'), _start('scheduler')]
    # A compute reports its resources to Placement while it starts.
    partners.wait_for(state, 'keystone', 'placement')
    for host in state.settings.hosts:
        with _settings_of(state, host, hypervisors.uri(state, host)):
            services.append(
                _start('compute', host, compute_rpcapi.RPC_TOPIC_ALT)
            )
    host_mapping.discover_hosts(context.get_admin_context())
    state.ready('nova').touch()
    # The services live as long as somebody knows them, and until a signal
    # ends the process.
    while services:
        signal.pause()


def _start(
    name: str, host: str | None = None, topic_alt: str | None = None
) -> service.Service:
    server = service.Service.create(
        host=host, binary=f'nova-{name}', topic_alt=topic_alt
    )
    server.start()
    return server


def _settings_of(
    state: cloud_state.State, host: str, uri: str
) -> contextlib.AbstractContextManager[None]:
    """Configure the process for a compute that is about to start.

    :param host: the compute's host.
    :param uri: the address of its hypervisor.
    """
    # Nova keeps the identity of its host for the whole process.
    node.LOCAL_NODE_UUID = None
    options = (
        ('host', host, None),
        ('state_path', str(state.folder('nova', host)), None),
        ('connection_uri', uri, 'libvirt'),
    )
    return overrides.of(CONF, options)
