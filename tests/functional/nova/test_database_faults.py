# SPDX-License-Identifier: Apache-2.0

"""Cyborg's database refuses a write, or Cyborg is killed before it.

In each operation, once. All other tables are in the folder ``every``.
"""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc

#: Whether Cyborg is killed, by name of the fault.
KILLS = {'is_full': False, 'is_not_reached': True}


def tested_with(
    **faults: collections.abc.Iterable[str],
) -> collections.abc.Callable[[type], type]:
    """Give a class tests for the first write to each table.

    :param faults: names of faults, by name of the table.
    """
    return faulty.tested_with(
        'refuse',
        {
            f'{table}_{name}': {'table': table, 'kill': KILLS[name]}
            for table, names in faults.items()
            for name in names
        },
    )


class Database:
    """Cyborg's database."""

    def refuse(self, table: str, kill: bool) -> None:
        """Refuse the first write to a table, or kill Cyborg before it."""
        self.cyborg.control('refuse_writes', table=table, kill=kill)


@tested_with(device_context_arqs=['is_full'])
class BootTest(Database, faulty.Boot):
    """A server is booted."""


@tested_with(device_allocations=['is_not_reached'])
class DeleteTest(Database, faulty.Delete):
    """A server is deleted."""


@tested_with(device_context_arqs=['is_full'])
class OffloadTest(Database, faulty.Offload):
    """A server is shelved and offloaded."""


@tested_with(device_context_arqs=['is_not_reached'])
class UnshelveTest(Database, faulty.Unshelve):
    """A server is unshelved."""


@tested_with(device_allocations=['is_full'])
class EvacuateTest(Database, faulty.Evacuate):
    """A server is evacuated."""
