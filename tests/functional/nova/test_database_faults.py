# SPDX-License-Identifier: Apache-2.0

"""Cyborg's database refuses a write, or Cyborg is killed before it."""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc

_CONTEXTS = ('device_allocations', 'device_contexts')
_LINKS = ('device_context_arqs', 'device_profiles')
_ARQS = ('extended_accelerator_requests', 'attach_handles')
_FREES = ('device_allocations', 'device_context_arqs', *_ARQS)
_BINDS = ('device_allocations', *_LINKS, *_ARQS)


def with_writes(*tables: str) -> collections.abc.Callable[[type], type]:
    """Give a class tests for the first write to each table."""

    kills = {'is_full': False, 'is_not_reached': True}
    return faulty.tested_with(
        'refuse',
        {
            f'{table}_{name}': {'table': table, 'kill': kill}
            for table in tables
            for name, kill in kills.items()
        },
    )


class _Database:
    """Cyborg's database."""

    def refuse(self, table: str, kill: bool) -> None:
        """Refuse the first write to a table, or kill Cyborg before it."""
        self.cyborg.control('refuse_writes', table=table, kill=kill)


@with_writes(*_CONTEXTS, *_LINKS, *_ARQS)
class BootTest(_Database, faulty.Boot):
    """A server is booted."""


@with_writes(*_CONTEXTS, *_LINKS, *_ARQS)
class DeleteTest(_Database, faulty.Delete):
    """A server is deleted."""


@with_writes(*_FREES)
class OffloadTest(_Database, faulty.Offload):
    """A server is shelved and offloaded."""


@with_writes(*_BINDS)
class UnshelveTest(_Database, faulty.Unshelve):
    """A server is unshelved."""


@with_writes(*_FREES)
class EvacuateTest(_Database, faulty.Evacuate):
    """A server is evacuated."""
