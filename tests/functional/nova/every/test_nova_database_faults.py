# SPDX-License-Identifier: Apache-2.0

"""The database of Nova or of Placement refuses any write on the way."""

from tests.functional.nova import test_nova_database_faults  # isort: skip - 1st

from tests.functional.nova import faulty

_CLAIM = test_nova_database_faults.CLAIM
_write = test_nova_database_faults.write


@faulty.tested_with(
    'refuse',
    {
        'claim': _CLAIM,
        'create': _write('INSERT', 'instances'),
        'map_to_cell': _write('UPDATE', 'instance_mappings'),
        'forget_the_request': _write('DELETE', 'build_requests'),
    },
)
class BootTest(test_nova_database_faults.Databases, faulty.Boot):
    """A server is booted."""


@faulty.tested_with('refuse', {'claim': _CLAIM})
class EvacuateTest(test_nova_database_faults.Databases, faulty.Evacuate):
    """A server is evacuated."""
