# SPDX-License-Identifier: Apache-2.0

"""What Cyborg has of cards, their slots, and accelerator requests."""

import json

from tools.bench.population import copying, names
from tools.bench.population import template as template_module

_ARQS = 'extended_accelerator_requests'
# What belongs to a deployable, apart from its slots.
_ATTRIBUTES = 'attributes'


class Cyborg:
    """Copies cards and accelerator requests in Cyborg's database.

    :param template: the server that is copied; it is read now.
    """

    def __init__(self, template: template_module.Template) -> None:
        self._template = template
        self._database = template.databases.cyborg
        read = self._database.rows
        arq = template.arq
        (self._handle,) = read('attach_handles', id=arq['attach_handle_id'])
        (self._deployable,) = read('deployables', id=arq['deployable_id'])
        (self._device,) = read('devices', id=self._deployable['device_id'])
        (self._path,) = read('controlpath_ids', id=self._handle['cpid_id'])
        self._attributes = read(
            _ATTRIBUTES, deployable_id=self._deployable['id']
        )

    def add(self, part: names.Part) -> None:
        """Add cards, and accelerator requests that are bound to their slots.

        :param part: which ones.
        """
        first = {
            table: self._database.next_id(table)
            for table in ('devices', 'deployables', 'controlpath_ids')
        }
        for place, n in enumerate(part.cards):
            self._add_card(n, {name: at + place for name, at in first.items()})
        cards = {
            n: {name: at + place for name, at in first.items()}
            for place, n in enumerate(part.cards)
        }
        handle = self._database.next_id('attach_handles')
        self._database.insert(
            'attach_handles',
            (
                copying.renamed(
                    self._handle,
                    {},
                    id=handle + place,
                    uuid=names.identity('handle', n),
                    deployable_id=cards[names.card_of(n)]['deployables'],
                    cpid_id=cards[names.card_of(n)]['controlpath_ids'],
                    attach_info=json.dumps(names.slot(n)),
                )
                for place, n in enumerate(part.servers)
            ),
        )
        self._database.insert(
            _ARQS,
            (
                copying.renamed(
                    self._template.arq,
                    self._template.names(n),
                    attach_handle_id=handle + place,
                    deployable_id=cards[names.card_of(n)]['deployables'],
                )
                for place, n in enumerate(part.servers)
            ),
        )

    def _add_card(self, number: int, ids: dict[str, int]) -> None:
        host = names.host(number // names.CARDS_PER_HOST)
        copied = copying.renamed
        insert = self._database.insert
        insert(
            'devices',
            [
                copied(
                    self._device,
                    {},
                    id=ids['devices'],
                    uuid=names.identity('device', number),
                    hostname=host,
                )
            ],
        )
        insert(
            'deployables',
            [
                copied(
                    self._deployable,
                    {},
                    id=ids['deployables'],
                    uuid=names.identity('deployable', number),
                    name=names.card(number),
                    device_id=ids['devices'],
                    rp_uuid=names.provider(number),
                    num_accelerators=names.SLOTS_PER_CARD,
                )
            ],
        )
        address = names.slot(number * names.SLOTS_PER_CARD) | {
            'device': '00',
            'function': '0',
        }
        insert(
            'controlpath_ids',
            [
                copied(
                    self._path,
                    {},
                    id=ids['controlpath_ids'],
                    uuid=names.identity('path', number),
                    device_id=ids['devices'],
                    cpid_info=json.dumps(address),
                )
            ],
        )
        insert(
            _ATTRIBUTES,
            (
                copied(
                    row,
                    {},
                    uuid=names.identity(f'attribute {row["key"]}', number),
                    deployable_id=ids['deployables'],
                )
                for row in self._attributes
            ),
        )
