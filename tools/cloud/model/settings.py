# SPDX-License-Identifier: Apache-2.0

"""How a cloud is made: its hosts, ports and passwords."""

import dataclasses

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
    :ivar conductors: how many cyborg-conductors there are.
    :ivar nova_options: what nova.conf says beside what it says in each cloud:
        section, option and value.
    :ivar cyborg_options: the same of cyborg.conf.
    :ivar lists_devices: whether the accelerators are those of lists, which
        nova_cyborg's driver reads.
    """

    kind: str
    database: str
    hosts: list[str]
    plugin: bool
    ports: dict[str, int]
    passwords: dict[str, str]
    real_hosts: list[str] = dataclasses.field(default_factory=list)
    conductors: int = 1
    nova_options: dict[str, dict[str, str]] = dataclasses.field(
        default_factory=dict
    )
    cyborg_options: dict[str, dict[str, str]] = dataclasses.field(
        default_factory=dict
    )
    lists_devices: bool = True
