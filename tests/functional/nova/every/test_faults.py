# SPDX-License-Identifier: Apache-2.0

"""A request between Nova and Cyborg goes wrong, in every way at each step."""

from tests.functional.nova import test_faults  # isort: skip - first

import collections.abc

from tests.functional.nova import faulty
from tests.functional.nova.moves import faulty_moves
from tests.functional.nova.moves import test_faults as moves_faults

_EVERY = (*test_faults.FAULTS, *test_faults.KILLS)


def _tested_with_the_rest(
    shorter: type, *steps: str, faults: collections.abc.Iterable[str] = _EVERY
) -> collections.abc.Callable[[type], type]:
    """Give a class a test for each fault of each step, but those of another.

    :param shorter: the other class.
    :param steps: names of the steps.
    :param faults: names of the faults.
    """
    return test_faults.tested_with(
        **{
            step: [
                name
                for name in faults
                if not hasattr(shorter, f'test_{step}_{name}')
            ]
            for step in steps
        }
    )


@_tested_with_the_rest(test_faults.BootTest, 'reserve', 'bind', 'read')
class BootTest(faulty.Boot):
    """Faults while a server is booted."""


@_tested_with_the_rest(test_faults.DeleteTest, 'release')
class DeleteTest(faulty.Delete):
    """Faults between Nova and Cyborg while a server is deleted."""


@_tested_with_the_rest(test_faults.OffloadTest, 'unbind')
class OffloadTest(faulty.Offload):
    """Faults while a server is shelved and offloaded."""


@_tested_with_the_rest(test_faults.UnshelveTest, 'begin', 'bind', 'read')
class UnshelveTest(faulty.Unshelve):
    """Faults while a server is unshelved."""


@_tested_with_the_rest(
    test_faults.EvacuateTest, 'begin', 'bind', 'read', 'activate', 'settle'
)
class EvacuateTest(faulty.Evacuate):
    """Faults while a server is evacuated."""


@_tested_with_the_rest(
    test_faults.BootBesideTest, 'reserve', 'bind', faults=test_faults.KILLS
)
class BootBesideTest(test_faults.Beside, faulty.Boot):
    """Cyborg is killed while a server with a profile, too, is booted."""


@test_faults.tested_with(release=test_faults.KILLS)
class DeleteBesideTest(test_faults.Beside, faulty.Delete):
    """Cyborg is killed while a server with a profile, too, is deleted."""


@test_faults.tested_with(unbind=test_faults.KILLS)
class OffloadBesideTest(test_faults.Beside, faulty.Offload):
    """Cyborg is killed while a server with a profile, too, is offloaded."""


@test_faults.tested_with(begin=test_faults.KILLS, bind=test_faults.KILLS)
class UnshelveBesideTest(test_faults.Beside, faulty.Unshelve):
    """Cyborg is killed while a server with a profile, too, is unshelved."""


@test_faults.tested_with(
    bind=test_faults.KILLS,
    activate=test_faults.KILLS,
    settle=test_faults.KILLS,
)
class EvacuateBesideTest(test_faults.Beside, faulty.Evacuate):
    """Cyborg is killed while a server with a profile, too, is evacuated."""


@_tested_with_the_rest(test_faults.UndoneBootTest, 'release')
class UndoneBootTest(test_faults.Undone, faulty.Boot):
    """Faults while a boot is undone."""


@_tested_with_the_rest(test_faults.UndoneUnshelveTest, 'unbind')
class UndoneUnshelveTest(test_faults.Undone, faulty.Unshelve):
    """Faults while an unshelving is undone."""


@_tested_with_the_rest(test_faults.UndoneEvacuateTest, 'unbind')
class UndoneEvacuateTest(test_faults.Undone, faulty.Evacuate):
    """Faults while an evacuation is undone."""


@_tested_with_the_rest(
    moves_faults.MigrateTest, 'begin', 'bind', 'read', 'activate'
)
class MigrateTest(faulty_moves.Migrate):
    """Faults while a server is migrated."""


@_tested_with_the_rest(moves_faults.ConfirmTest, 'settle')
class ConfirmTest(faulty_moves.Confirm):
    """Faults while a migration is confirmed."""


@_tested_with_the_rest(moves_faults.RevertTest, 'unbind', 'read')
class RevertTest(faulty_moves.Revert):
    """Faults while a migration is reverted."""


@_tested_with_the_rest(
    moves_faults.LiveMigrateTest,
    'show',
    'begin',
    'bind',
    'read',
    'activate',
    'settle',
)
class LiveMigrateTest(faulty_moves.LiveMigrate):
    """Faults while a server is migrated as it runs."""


@_tested_with_the_rest(moves_faults.SuspendTest, 'read')
class SuspendTest(faulty_moves.Suspend):
    """Faults while a server is suspended."""


@_tested_with_the_rest(moves_faults.ResumeTest, 'read')
class ResumeTest(faulty_moves.Resume):
    """Faults while a server is resumed."""
