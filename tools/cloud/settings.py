# SPDX-License-Identifier: Apache-2.0

"""How a cloud is made: its hosts, ports and passwords."""

import dataclasses
import secrets

from tools.cloud import ports

SERVICES = ('keystone', 'placement', 'glance', 'neutron', 'nova', 'cyborg')
REGION = 'RegionOne'
# The users for people, and the project of each.
PEOPLE = {'admin': 'admin', 'demo': 'demo', 'other': 'other'}


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a cloud was made.

    :ivar kind: embedded, passthrough or production.
    :ivar database: the kind of database.
    :ivar hosts: names of the compute hosts, the real ones last.
    :ivar plugin: whether nova_cyborg is loaded.
    :ivar ports: port of each service, and of the supervisor.
    :ivar passwords: password of each user, and of the supervisor.
    :ivar real_hosts: names of the hosts whose hypervisor is real.
    """

    kind: str
    database: str
    hosts: list[str]
    plugin: bool
    ports: dict[str, int]
    passwords: dict[str, str]
    real_hosts: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def new(
        cls,
        kind: str,
        database: str,
        computes: int,
        plugin: bool,
        listeners: tuple[str, ...],
        real: int = 0,
    ) -> 'Settings':
        """Make settings with ports and passwords of their own.

        :param kind: embedded, passthrough or production.
        :param database: the kind of database.
        :param computes: how many compute hosts with a fake hypervisor.
        :param plugin: whether to load nova_cyborg.
        :param listeners: what needs a port beside the APIs.
        :param real: how many compute hosts with a real hypervisor.
        :returns: the settings.
        """
        listeners = (*SERVICES, 'supervisor', *listeners)
        real_hosts = [f'real{n}' for n in range(1, real + 1)]
        return cls(
            kind=kind,
            database=database,
            hosts=[
                *(f'compute{n}' for n in range(1, computes + 1)),
                *real_hosts,
            ],
            plugin=plugin,
            ports=dict(
                zip(listeners, ports.choose(len(listeners)), strict=True)
            ),
            passwords={
                name: secrets.token_urlsafe(16)
                for name in (*listeners, *PEOPLE)
            },
            real_hosts=real_hosts,
        )
