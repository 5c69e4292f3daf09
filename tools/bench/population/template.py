# SPDX-License-Identifier: Apache-2.0

"""A server that runs, and where the services have written it down."""

from __future__ import annotations

import dataclasses
import functools

from tools.bench.population import copying, names
from tools.cloud import running


@dataclasses.dataclass(frozen=True)
class Databases:
    """The databases of a cloud that have something of a server.

    :ivar cyborg: Cyborg's.
    :ivar nova_api: Nova's, above the cells.
    :ivar cell: Nova's, of the cell that the servers are in.
    :ivar placement: Placement's.
    """

    cyborg: copying.Database
    nova_api: copying.Database
    cell: copying.Database
    placement: copying.Database

    @classmethod
    def of(cls, cloud: running.RunningCloud) -> Databases:
        """Return those of a cloud."""
        return cls(
            *(
                copying.Database(cloud.database_url(name))
                for name in ('cyborg', 'nova_api', 'nova_cell1', 'placement')
            )
        )


@dataclasses.dataclass(frozen=True)
class Template:
    """A server with one accelerator, that others are copies of.

    :ivar databases: the databases that have something of it.
    :ivar server_id: its UUID.
    :ivar context_id: UUID of its device context; None if it has none.
    """

    databases: Databases
    server_id: str
    context_id: str | None

    @functools.cached_property
    def arq(self) -> copying.Row:
        """The row of its accelerator request."""
        (row,) = self.databases.cyborg.rows(
            'extended_accelerator_requests', instance_uuid=self.server_id
        )
        return row

    @property
    def host(self) -> str:
        """The name of its host."""
        return str(self.arq['hostname'])

    def names(self, number: int) -> dict[str, str]:
        """Return what a copy is to name where this one is named.

        :param number: the copy's number.
        """
        found = {
            self.server_id: names.identity('server', number),
            self.arq['uuid']: names.identity('arq', number),
            self.arq['device_rp_uuid']: names.provider(names.card_of(number)),
            self.host: names.host(names.host_of(number)),
        }
        if self.context_id:
            found[self.context_id] = names.identity('context', number)
        return found
