# SPDX-License-Identifier: Apache-2.0

"""What nova_cyborg has of device contexts, beside Cyborg's own rows."""

import collections.abc

from oslo_utils import timeutils

from tools.bench.population import copying, names
from tools.bench.population import template as template_module

_CONTEXTS = 'device_contexts'
_ALLOCATIONS = 'device_allocations'
_BINDINGS = 'device_bindings'
_LINKS = 'device_context_arqs'
_EVENTS = 'device_context_events'
# By UUID of the device context.
_MORE = {
    'device_context_demands': 'context_uuid',
    'device_context_tags': 'context_uuid',
    'device_context_amounts': 'device_context_uuid',
}


class Contexts:
    """Copies device contexts that are bound.

    :param template: the server that is copied; it is read now.
    """

    def __init__(self, template: template_module.Template) -> None:
        self._template = template
        self._database = template.databases.cyborg
        read = self._database.rows
        (self._context,) = read(_CONTEXTS, uuid=template.context_id)
        allocation_id = self._context['allocation_id']
        (self._allocation,) = read(_ALLOCATIONS, id=allocation_id)
        (self._binding,) = read(_BINDINGS, allocation_id=allocation_id)
        (self._link,) = read(_LINKS, arq_uuid=template.arq['uuid'])
        self._events = read(_EVENTS, context_uuid=template.context_id)
        self._more = {
            table: read(table, **{column: template.context_id})
            for table, column in _MORE.items()
        }

    def add(self, part: names.Part) -> None:
        """Add device contexts, of servers that have been added.

        :param part: which ones.
        """
        ids = {
            table: self._database.next_id(table) - part.first
            for table in (_CONTEXTS, _ALLOCATIONS, _BINDINGS)
        }
        renamed = {n: self._template.names(n) for n in part.servers}
        # The reconciler has looked at it since.
        settled = {'settled_at': timeutils.utcnow()}
        self._insert(
            _ALLOCATIONS,
            (
                copying.renamed(
                    self._allocation,
                    new,
                    id=ids[_ALLOCATIONS] + n,
                    caller=names.identity('caller', n),
                    **settled,
                )
                for n, new in renamed.items()
            ),
        )
        self._insert(
            _CONTEXTS,
            (
                copying.renamed(
                    self._context,
                    new,
                    id=ids[_CONTEXTS] + n,
                    allocation_id=ids[_ALLOCATIONS] + n,
                )
                for n, new in renamed.items()
            ),
        )
        self._insert(
            _BINDINGS,
            (
                copying.renamed(
                    self._binding,
                    new,
                    id=ids[_BINDINGS] + n,
                    allocation_id=ids[_ALLOCATIONS] + n,
                    active_of=ids[_ALLOCATIONS] + n,
                )
                for n, new in renamed.items()
            ),
        )
        self._insert(
            _LINKS,
            (
                copying.renamed(
                    self._link,
                    new,
                    device_context_id=ids[_CONTEXTS] + n,
                    binding_id=ids[_BINDINGS] + n,
                )
                for n, new in renamed.items()
            ),
        )
        for table, rows in self._more.items():
            self._insert(
                table,
                (
                    copying.renamed(row, new)
                    for new in renamed.values()
                    for row in rows
                ),
            )
        self._insert(
            _EVENTS,
            (
                copying.renamed(
                    row, new, uuid=names.identity(f'event {row["id"]}', n)
                )
                for n, new in renamed.items()
                for row in self._events
            ),
        )
        self._insert(
            'host_locks',
            ({'hostname': names.host(n), 'times': 1} for n in part.hosts),
        )

    def _insert(
        self, table: str, rows: collections.abc.Iterable[copying.Row]
    ) -> None:
        self._database.insert(table, rows)
