# SPDX-License-Identifier: Apache-2.0

"""A card that comes and changes, by the devices file of its host.

The agents report once a minute, and when they start.
"""

import collections.abc
import pathlib
import typing as ty

import yaml

from tests.e2e import person, waiting

ADDRESS = '0000:72:00.0'


class Card:
    """A card of the class YPU, which the host has from the first write on.

    :param host: the name of the node.
    :param path: the devices file of the host.
    :param report: has the agent of the host report soon, if it can.
    """

    def __init__(
        self,
        host: str,
        path: pathlib.Path,
        report: collections.abc.Callable[[], None],
    ) -> None:
        self.provider = f'{host}_{ADDRESS}'
        self._path = path
        self._report = report
        self._before = path.read_text()

    def write(self, *addresses: str, **fields: ty.Any) -> None:
        """Have the card have these slots, and other fields of an entry."""
        listed: dict[str, list[dict[str, ty.Any]]] = yaml.safe_load(
            self._before
        )
        listed['devices'].append(
            {
                'address': ADDRESS,
                'vendor': '8086',
                'product': '0001',
                'type': 'FPGA',
                'resource_class': 'YPU',
                'handles': {'type': 'PCI', 'addresses': list(addresses)},
                **fields,
            }
        )
        self._path.write_text(yaml.safe_dump(listed))
        self._report()

    def restore(self) -> None:
        """Have the host have no such card."""
        self._path.write_text(self._before)

    def wait_for_slots(self, admin: person.Person, *addresses: str) -> None:
        """Wait until Cyborg knows these slots of the card, and no other."""

        def known() -> bool:
            found = admin.accelerator.get('/deployables').json()
            return [
                each['num_accelerators']
                for each in found['deployables']
                if each['name'] == self.provider
            ] == [len(addresses)]

        waiting.until(f'Cyborg to know {len(addresses)} slots', known)
