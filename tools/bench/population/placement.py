# SPDX-License-Identifier: Apache-2.0

"""What Placement has of hosts, their cards, and who uses them."""

import collections.abc
import typing as ty

from tools.bench.population import copying, names
from tools.bench.population import template as template_module

_PROVIDERS = 'resource_providers'
_TRAITS = 'resource_provider_traits'


class Placement:
    """Copies resource providers and consumers in Placement's database.

    :param template: the server that is copied; it is read now.
    """

    def __init__(self, template: template_module.Template) -> None:
        self._database = template.databases.placement
        (self._card,) = self._database.rows(
            _PROVIDERS, uuid=template.arq['device_rp_uuid']
        )
        (self._host,) = self._database.rows(_PROVIDERS, name=template.host)
        self._template = template
        self._of = {
            (table, provider['id']): self._database.rows(
                table, resource_provider_id=provider['id']
            )
            for table in ('inventories', _TRAITS)
            for provider in (self._card, self._host)
        }
        server = template.server_id
        (self._consumer,) = self._database.rows('consumers', uuid=server)
        self._allocations = self._database.rows(
            'allocations', consumer_id=server
        )

    def add(self, part: names.Part) -> None:
        """Add hosts, cards, and the servers that use them.

        :param part: which ones.
        """
        self._add_hosts(part)
        self._add_cards(part)
        self._database.insert(
            'consumers',
            (
                copying.renamed(self._consumer, self._template.names(n))
                for n in part.servers
            ),
        )
        hosts, cards = self._ids(names.host), self._ids(names.card)
        self._database.insert(
            'allocations',
            (
                copying.renamed(
                    row,
                    self._template.names(n),
                    resource_provider_id=cards[names.card_of(n)]
                    if row['resource_provider_id'] == self._card['id']
                    else hosts[names.host_of(n)],
                )
                for n in part.servers
                for row in self._allocations
            ),
        )

    def _add_hosts(self, part: names.Part) -> None:
        first = self._database.next_id(_PROVIDERS)
        for row_id, n in enumerate(part.hosts, first):
            row = copying.renamed(
                self._host,
                {self._host['name']: names.host(n)},
                id=row_id,
                uuid=names.identity('node', n),
                root_provider_id=row_id,
            )
            self._add_provider(self._host, row, {})

    def _add_cards(self, part: names.Part) -> None:
        hosts = self._ids(names.host)
        first = self._database.next_id(_PROVIDERS)
        # All of a card's slots are in use, as no server is to get one.
        size = dict.fromkeys(('total', 'max_unit'), names.SLOTS_PER_CARD)
        for row_id, n in enumerate(part.cards, first):
            host = hosts[n // names.CARDS_PER_HOST]
            row = copying.renamed(
                self._card,
                {self._card['name']: names.card(n)},
                id=row_id,
                uuid=names.provider(n),
                root_provider_id=host,
                parent_provider_id=host,
            )
            self._add_provider(self._card, row, size)

    def _add_provider(
        self, old: copying.Row, new: copying.Row, size: dict[str, ty.Any]
    ) -> None:
        self._database.insert(_PROVIDERS, [new])
        ours = {'resource_provider_id': new['id']}
        for table, more in (('inventories', size), (_TRAITS, {})):
            rows = self._of[table, old['id']]
            self._database.insert(
                table,
                (copying.renamed(row, {}, **ours, **more) for row in rows),
            )

    def _ids(self, name: collections.abc.Callable[[int], str]) -> '_RowIds':
        rows = self._database.rows(_PROVIDERS)
        return _RowIds({row['name']: row['id'] for row in rows}, name)


class _RowIds:
    """Row ids by number, found by name."""

    def __init__(
        self,
        ids: dict[str, int],
        name: collections.abc.Callable[[int], str],
    ) -> None:
        self._ids = ids
        self._name = name

    def __getitem__(self, number: int) -> int:
        return self._ids[self._name(number)]
