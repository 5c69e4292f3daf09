# SPDX-License-Identifier: Apache-2.0

"""A request between Nova and Cyborg goes wrong in a move.

Each kind of fault once; all others are in the folder ``every``.
"""

from tests.functional.nova.moves import faulty_moves  # isort: skip - first

from tests.functional.nova import test_faults


@test_faults.tested_with(
    begin=['is_lost'],
    bind=['arrives_late', 'kills_when_it_is_done'],
    read=['fails'],
    activate=['kills'],
)
class MigrateTest(faulty_moves.Migrate):
    """Faults while a server is migrated."""


@test_faults.tested_with(settle=['arrives_late', 'kills'])
class ConfirmTest(faulty_moves.Confirm):
    """Faults while a migration is confirmed."""


@test_faults.tested_with(
    unbind=['is_answered_late', 'kills_when_it_is_done'], read=['is_dropped']
)
class RevertTest(faulty_moves.Revert):
    """Faults while a migration is reverted."""


@test_faults.tested_with(
    show=['is_dropped'],
    begin=['kills_when_it_is_done'],
    bind=['is_lost'],
    read=['fails'],
    activate=['arrives_late'],
    settle=['kills'],
)
class LiveMigrateTest(faulty_moves.LiveMigrate):
    """Faults while a server is migrated as it runs."""


@test_faults.tested_with(read=['is_lost'])
class SuspendTest(faulty_moves.Suspend):
    """Faults while a server is suspended."""


@test_faults.tested_with(read=['kills'])
class ResumeTest(faulty_moves.Resume):
    """Faults while a server is resumed."""
