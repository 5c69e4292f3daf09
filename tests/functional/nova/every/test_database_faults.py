# SPDX-License-Identifier: Apache-2.0

"""Cyborg's database refuses a write to any table, or Cyborg is killed."""

from tests.functional.nova import test_database_faults  # isort: skip - first

import collections.abc

from tests.functional.nova import faulty

_CONTEXTS = ('device_allocations', 'device_contexts')
_LINKS = ('device_context_arqs', 'device_profiles')
_ARQS = ('extended_accelerator_requests', 'attach_handles')
_ALL = (*_CONTEXTS, *_LINKS, *_ARQS)
_UNBINDS = ('device_allocations', 'device_context_arqs', *_ARQS)
_BINDS = ('device_allocations', *_LINKS, *_ARQS)


def _tested_with_the_rest(
    shorter: type, *tables: str
) -> collections.abc.Callable[[type], type]:
    """Give a class tests for each table, but those that another one has."""
    return test_database_faults.tested_with(
        **{
            table: [
                name
                for name in test_database_faults.KILLS
                if not hasattr(shorter, f'test_{table}_{name}')
            ]
            for table in tables
        }
    )


@_tested_with_the_rest(test_database_faults.BootTest, *_ALL)
class BootTest(test_database_faults.Database, faulty.Boot):
    """A server is booted."""


@_tested_with_the_rest(test_database_faults.DeleteTest, *_ALL)
class DeleteTest(test_database_faults.Database, faulty.Delete):
    """A server is deleted."""


@_tested_with_the_rest(test_database_faults.OffloadTest, *_UNBINDS)
class OffloadTest(test_database_faults.Database, faulty.Offload):
    """A server is shelved and offloaded."""


@_tested_with_the_rest(test_database_faults.UnshelveTest, *_BINDS)
class UnshelveTest(test_database_faults.Database, faulty.Unshelve):
    """A server is unshelved."""


@_tested_with_the_rest(test_database_faults.EvacuateTest, *_UNBINDS)
class EvacuateTest(test_database_faults.Database, faulty.Evacuate):
    """A server is evacuated."""
