# SPDX-License-Identifier: Apache-2.0

"""A cloud in which ever more accelerators are bound."""

from __future__ import annotations

from tools.bench.clouds import system as system_module
from tools.bench.model import systems
from tools.bench.operations import servers
from tools.bench.population import names, population, template


class Growth:
    """Adds accelerators to a cloud; boots the server that they are copies of.

    :param system: the system whose servers they are.
    :raises NotDone: if the server is not built.
    """

    def __init__(self, system: system_module.System) -> None:
        self._servers = servers.Servers(system)
        contexts: list[str] = []
        if system.name == systems.CONTEXTS:
            contexts = system.make_context()
        self._server_id: str | None = self._servers.boot(
            system.accelerated, contexts
        )
        self._population = population.Population(
            template.Template(
                template.Databases.of(system.measured.cloud),
                self._server_id,
                contexts[0] if contexts else None,
            )
        )

    def add(self, part: names.Part) -> None:
        """Add accelerators that are bound.

        :param part: which ones.
        :raises NotDone: if the server that was booted cannot be deleted.
        """
        self._population.add(part)
        if self._server_id is not None:
            # Not before: what only it refers to would go with it, and the
            # copies refer to that as well.
            self._servers.delete(self._server_id)
            self._server_id = None
