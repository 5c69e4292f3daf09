# SPDX-License-Identifier: Apache-2.0

"""What all live nova-conductors can do.

Nova's databases name them, those of all cells: a server is moved by the
conductors of its cell and by those of the API, whose records are in any cell.
:mod:`nova_cyborg.nova.features.presence` says why they are asked.
"""

from __future__ import annotations

import collections.abc
import functools
import threading
import time

from nova import context as nova_context
from nova import objects, rpc, servicegroup

from nova_cyborg.nova.features import asking, presence

BINARY = 'nova-conductor'
# Seconds for the databases of the cells, and for the conductors, to answer:
# a user waits.
_SECONDS = 5
# Seconds for which answers are kept.
_KEPT = 60
# Conductors that are asked at a time, each by a thread.
_AT_A_TIME = 64

# What a conductor can do, by its name.
_Features = dict[str, collections.abc.Collection[str]]


def start(
    context: nova_context.RequestContext,
    host: str,
    seconds: int,
    times: int,
) -> asking.Asking:
    """Begin to ask a conductor what it is.

    :param context: a context that targets the conductor's cell.
    :param host: the host it is known by.
    :param seconds: how long to wait for an answer.
    :param times: how often to ask.
    :returns: the thread that asks.
    """
    # Super-conductors keep their records in cell0, which has no bus; theirs
    # is that of the API, and of this configuration.
    transport = (
        context.mq_connection or rpc.TRANSPORT or rpc.create_transport(None)
    )
    started = asking.Asking(
        transport,
        functools.partial(presence.ask, transport, host, seconds),
        times,
    )
    started.start()
    return started


class Conductors:
    """What all live conductors can do; asked seldom, and only if need be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._features: _Features = {}
        self._until = 0.0

    def forget(self) -> None:
        """Have them asked anew."""
        with self._lock:
            self._until = 0.0

    def unable(self, feature: str) -> list[str]:
        """Name those that cannot do something, or do not say that they can.

        :param feature: what is to be done.
        :returns: their names; empty if all can.
        """
        with self._lock:
            if time.monotonic() >= self._until:
                self._features = _ask_all()
                self._until = time.monotonic() + _KEPT
            return sorted(
                name
                for name, features in self._features.items()
                if feature not in features
            )


def _ask_all() -> _Features:
    found: _Features = {}
    live: list[tuple[objects.CellMapping, str]] = []
    admin = nova_context.get_admin_context()
    cells = {
        cell.uuid: cell for cell in objects.CellMappingList.get_all(admin)
    }
    for cell_id, hosts in nova_context.scatter_gather_cells(
        admin, list(cells.values()), _SECONDS, _live
    ).items():
        cell = cells[cell_id]
        if isinstance(hosts, list):
            live += [(cell, host) for host in hosts]
        else:
            found[f'those of cell {_name(cell)}, whose database is down'] = ()
    for begin in range(0, len(live), _AT_A_TIME):
        found.update(_ask(admin, live[begin : begin + _AT_A_TIME]))
    # Nova waits for one, and does not fail.
    return found or {'none is up': ()}


def _live(context: nova_context.RequestContext) -> list[str]:
    """Return the hosts of the conductors of a cell that are up."""
    groups = servicegroup.API()
    services = objects.ServiceList.get_by_binary(
        context, BINARY, include_disabled=True
    )
    return [each.host for each in services if groups.service_is_up(each)]


def _ask(
    admin: nova_context.RequestContext,
    live: collections.abc.Iterable[tuple[objects.CellMapping, str]],
) -> _Features:
    asked = {}
    for cell, host in live:
        with nova_context.target_cell(admin, cell) as context:
            asked[f'{host} (cell {_name(cell)})'] = start(
                context, host, _SECONDS, times=1
            )
    asking.wait(asked.values(), _SECONDS)
    return {
        name: ((each.answers and each.answers[-1]) or {}).get('features', ())
        for name, each in asked.items()
    }


def _name(cell: objects.CellMapping) -> str:
    return str(cell.name or cell.uuid)
