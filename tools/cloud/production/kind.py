# SPDX-License-Identifier: Apache-2.0

"""How a production-like cloud is made."""

from tools.cloud import exception
from tools.cloud.fakes import domains
from tools.cloud.machine import libvirt_module, packages
from tools.cloud.model import credentials, kind, programs
from tools.cloud.model import settings as cloud_settings
from tools.cloud.model import state as cloud_state
from tools.cloud.production import configs, services, topology
from tools.cloud.production.apis import uwsgi
from tools.cloud.production.databases import migrations
from tools.cloud.production.hosts.real import (
    compute,
    files,
    guests,
    hypervisor,
    isolation,
)
from tools.cloud.production.servers import database as database_servers
from tools.cloud.production.servers import memcached, rabbitmq
from tools.cloud.up import readiness


class Production(kind.Kind):
    """What makes a cloud a production-like one."""

    databases = database_servers.KINDS
    listeners = (
        *rabbitmq.LISTENERS,
        *database_servers.LISTENERS,
        *memcached.LISTENERS,
    )
    default_computes = 4
    default_real = 1
    max_conductors = 8
    seconds = 900.0

    def require(self, settings: cloud_settings.Settings) -> None:
        """Install what the machine lacks."""
        profiles = ['production', settings.database]
        if settings.real_hosts:
            profiles.append('real-hosts')
        packages.require(*profiles)
        if settings.real_hosts:
            libvirt_module.require()

    def write_files(self, state: cloud_state.State) -> None:
        """Write the configuration files, and the database server's own."""
        rabbitmq.write_files(state)
        configs.write(state)
        uwsgi.write_files(state)
        if state.settings.real_hosts:
            files.write(state)
            compute.write_files(state)
        database_servers.server(state).prepare()

    def programs(self, state: cloud_state.State) -> list[programs.Program]:
        """Return all programs."""
        return [
            *rabbitmq.all_programs(state),
            database_servers.server(state).program(),
            memcached.program(state),
            *hypervisor.all_programs(state),
            *services.all_programs(state),
        ]

    def start(self, state: cloud_state.State, steps: kind.Steps) -> None:
        """Start everything, each when what it needs is there."""
        steps.start(rabbitmq.SERVICE)
        with steps.step('databases made'):
            server = database_servers.server(state)
            for name in topology.databases():
                server.create(name)
            migrations.run(state)
        steps.start('keystone', 'placement', 'glance', 'neutron')
        names = [each.name for each in services.all_programs(state)]
        computes = [n for n in names if n.startswith('nova-compute-')]
        agents = [n for n in names if n.startswith('cyborg-agent-')]
        rest = [
            name
            for name in names
            if name not in (*cloud_settings.SERVICES, *computes, *agents)
        ]
        steps.start(*rest)
        if state.settings.real_hosts:
            steps.start(hypervisor.SERVICE)
        steps.start(*computes)
        with steps.step('compute hosts mapped to cells'):
            migrations.discover_hosts(state)
        admin = credentials.log_in_as_admin(state)
        ready = readiness.Readiness(state, admin)
        steps.wait('compute hosts in Placement', ready.has_providers)
        steps.start(*agents)
        if state.settings.real_hosts:
            with steps.step('real hypervisors kept for real systems'):
                isolation.make_aggregate(state, admin)
            with steps.step('image of a real system made'):
                guests.upload(admin)

    def domain_xml(self, state: cloud_state.State, server_id: str) -> str:
        """Return a server's guest definition, whatever its host."""
        try:
            return domains.find(state.folder('domains'), server_id)
        except exception.NoGuest:
            return guests.domain_xml(state, server_id)
