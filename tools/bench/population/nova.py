# SPDX-License-Identifier: Apache-2.0

"""What Nova has of servers and their hosts."""

from tools.bench.population import copying, names
from tools.bench.population import template as template_module

# Of a server's past, these refer to each other by row ids.
_ACTIONS = 'instance_actions'
_EVENTS = 'instance_actions_events'


class Nova:
    """Copies servers and hosts in Nova's databases.

    :param template: the server that is copied; it is read now.
    """

    def __init__(self, template: template_module.Template) -> None:
        self._template = template
        databases = template.databases
        self._api, self._cell = databases.nova_api, databases.cell
        server, host = template.server_id, template.host
        self._above = self._api.rows_of_all('instance_uuid', server)
        self._rows = self._cell.rows_of_all('instance_uuid', server)
        (self._instance,) = self._cell.rows('instances', uuid=server)
        self._ids = self._cell.rows('instance_id_mappings', uuid=server)
        self._events = [
            event
            for action in self._rows[_ACTIONS]
            for event in self._cell.rows(_EVENTS, action_id=action['id'])
        ]
        (self._node,) = self._cell.rows('compute_nodes', host=host)
        (self._service,) = self._cell.rows(
            'services', host=host, binary='nova-compute'
        )
        (self._mapping,) = self._api.rows('host_mappings', host=host)

    def add(self, part: names.Part) -> None:
        """Add hosts, and servers on them.

        :param part: which ones.
        """
        self._add_hosts(part)
        nodes = {
            row['host']: row['id'] for row in self._cell.rows('compute_nodes')
        }
        renamed = {n: self._template.names(n) for n in part.servers}
        for table, rows in self._above.items():
            self._api.insert(
                table,
                (
                    copying.renamed(row, renamed[n])
                    for n in part.servers
                    for row in rows
                ),
            )
        self._cell.insert(
            'instances',
            (
                copying.renamed(
                    self._instance,
                    renamed[n],
                    compute_id=nodes[names.host(names.host_of(n))],
                )
                for n in part.servers
            ),
        )
        if self._ids:
            self._cell.insert(
                'instance_id_mappings',
                (copying.renamed(self._ids[0], renamed[n]) for n in renamed),
            )
        for table, rows in self._rows.items():
            if table == _ACTIONS:
                continue
            self._cell.insert(
                table,
                (
                    self._copy(table, row, n, renamed[n])
                    for n in part.servers
                    for row in rows
                ),
            )
        self._add_past(part, renamed)

    def _copy(
        self, table: str, row: copying.Row, number: int, new: dict[str, str]
    ) -> copying.Row:
        copy = copying.renamed(row, new)
        if copy.get('uuid'):
            # That of a block device, say.
            copy['uuid'] = names.identity(f'{table} {row["id"]}', number)
        return copy

    def _add_past(
        self, part: names.Part, renamed: dict[int, dict[str, str]]
    ) -> None:
        first = self._cell.next_id(_ACTIONS)
        actions: list[copying.Row] = []
        events: list[copying.Row] = []
        for n in part.servers:
            for row in self._rows[_ACTIONS]:
                row_id = first + len(actions)
                actions.append(copying.renamed(row, renamed[n], id=row_id))
                events += [
                    copying.renamed(event, renamed[n], action_id=row_id)
                    for event in self._events
                    if event['action_id'] == row['id']
                ]
        self._cell.insert(_ACTIONS, actions)
        self._cell.insert(_EVENTS, events)

    def _add_hosts(self, part: names.Part) -> None:
        renamed = {n: {self._template.host: names.host(n)} for n in part.hosts}
        first = self._cell.next_id('services')
        for number, new in renamed.items():
            service_id = first + number - part.hosts.start
            self._api.insert(
                'host_mappings', [copying.renamed(self._mapping, new)]
            )
            service = copying.renamed(
                self._service,
                new,
                id=service_id,
                uuid=names.identity('service', number),
            )
            self._cell.insert('services', [service])
            node = copying.renamed(
                self._node, new, uuid=names.identity('node', number)
            )
            if node.get('service_id') is not None:
                node['service_id'] = service_id
            self._cell.insert('compute_nodes', [node])
