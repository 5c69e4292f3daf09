# SPDX-License-Identifier: Apache-2.0

"""A Cyborg with two projects, and those who call it."""

from tests.functional.api import cyborg  # isort: skip - first

import collections
import collections.abc
import dataclasses
import typing as ty
from unittest import mock

import fixtures

from nova_cyborg import model
from tests.functional.api import placement

#: In all that a project has written, and in no answer to another one.
SECRET = 'not-for-%s'
# What a project begins with.
_CONTEXTS, _HELD = 6, 2


@dataclasses.dataclass(frozen=True)
class Persona:
    """Who calls.

    :ivar name: what they are called.
    :ivar project: the project of their token.
    :ivar others: the project of which they are to see nothing; None if they
        may.
    :ivar changes: whether they may change what their project has.
    """

    name: str
    project: str
    others: str | None
    roles: tuple[str, ...] = ('member', 'reader')
    service: bool = False
    changes: bool = True

    @property
    def untouched(self) -> list[str]:
        """The projects that are to see no changes."""
        found = [] if self.changes else [self.project]
        return [*found, self.others] if self.others else found


PERSONAS = (
    Persona('member', cyborg.PROJECT, cyborg.OTHER_PROJECT),
    Persona(
        'reader',
        cyborg.PROJECT,
        cyborg.OTHER_PROJECT,
        roles=('reader',),
        changes=False,
    ),
    Persona('other project', cyborg.OTHER_PROJECT, cyborg.PROJECT),
    Persona('service', cyborg.PROJECT, cyborg.OTHER_PROJECT, service=True),
    Persona(
        'administrator', 'a' * 32, None, roles=('admin', 'member', 'reader')
    ),
)


class World(cyborg.CyborgFixture):
    """A Cyborg with two projects that have something.

    :ivar known: what requests may name, of both projects: UUIDs of device
        contexts, devices, providers and callers; and conditions.
    :ivar servers: UUIDs of servers, by their project.
    """

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        super()._setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'cyborg.common.placement_client.PlacementClient',
                mock.Mock(return_value=placement.Placement()),
            )
        )
        # So that fewer are refused for what they ask for.
        self.config.config(
            group='nova_cyborg', max_accelerators_per_server=512
        )
        self.known: dict[str, list[str]] = collections.defaultdict(list)
        self.servers: dict[str, list[str]] = collections.defaultdict(list)
        self._provider = self.add_device(slots=8)
        self.known['providers'].append(self._provider)
        admin = cyborg.Caller(self.api, roles=('admin', 'member', 'reader'))
        devices = admin.get('/v2/devices').json['devices']
        self.known['devices'] += [each['uuid'] for each in devices]
        for project in (cyborg.PROJECT, cyborg.OTHER_PROJECT):
            self._fill(project)
        self.known['callers'].append(cyborg.CALLER)
        self.known['conditions'] += ['*', '"0"', '"1"', 'W/"1"', '"2", "3"']

    def _fill(self, project: str) -> None:
        member = cyborg.Caller(self.api, project)
        nova = cyborg.Caller(self.api, project, service=True)
        secret = SECRET % project
        contexts = [
            member.create_one(
                name=f'{secret}-{number}',
                description=secret,
                config={'secret': secret},
                tags=[f'{secret}'[:60]],
            )
            for number in range(_CONTEXTS)
        ]
        for number in range(_HELD):
            server_id = self.nova.boot()
            held = contexts[number]
            nova.reserve(server_id, held)
            nova.bind(server_id, {model.requester_id(held, 0): self._provider})
            self.servers[project].append(server_id)
        self.servers[project].append(self.nova.boot())
        self.known['contexts'] += contexts

    def known_to(self, persona: Persona) -> dict[str, list[str]]:
        """Tell what requests of somebody may name."""
        projects = list(self.servers)
        if persona.service:
            # Nova has looked whose servers they are, before it asks.
            projects = [persona.project]
        servers = [each for name in projects for each in self.servers[name]]
        return {**self.known, 'servers': servers}

    def seen_by(self, project: str) -> dict[str, ty.Any]:
        """Show all that a project sees of its own."""
        member = cyborg.Caller(self.api, project)
        contexts = member.list().json['device_contexts']
        return {
            each['uuid']: (
                each,
                member.get(f'/v2/device_contexts/{each["uuid"]}/events').json[
                    'events'
                ],
            )
            for each in contexts
        }
