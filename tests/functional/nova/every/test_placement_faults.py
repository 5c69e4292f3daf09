# SPDX-License-Identifier: Apache-2.0

"""A request of Nova's to Placement fails in every way."""

from tests.functional.nova import test_placement_faults  # isort: skip - first

import collections.abc

from tests.functional.nova import faulty


def _tested_with_the_rest(
    shorter: type, *steps: str
) -> collections.abc.Callable[[type], type]:
    """Give a class tests for each request, but those that another one has."""
    return test_placement_faults.tested_with(
        **{
            step: [
                name
                for name in test_placement_faults.FAULTS
                if not hasattr(shorter, f'test_{step}_{name}')
            ]
            for step in steps
        }
    )


@_tested_with_the_rest(test_placement_faults.BootTest, 'candidates', 'claim')
class BootTest(test_placement_faults.Placement, faulty.Boot):
    """A server is booted."""


@_tested_with_the_rest(test_placement_faults.DeleteTest, 'forget')
class DeleteTest(test_placement_faults.Delete):
    """A server is deleted."""


@_tested_with_the_rest(test_placement_faults.OffloadTest, 'forget')
class OffloadTest(test_placement_faults.Placement, faulty.Offload):
    """A server is shelved and offloaded."""


@_tested_with_the_rest(
    test_placement_faults.UnshelveTest, 'candidates', 'claim'
)
class UnshelveTest(test_placement_faults.Placement, faulty.Unshelve):
    """A server is unshelved."""


@_tested_with_the_rest(
    test_placement_faults.EvacuateTest, 'candidates', 'claim'
)
class EvacuateTest(test_placement_faults.Placement, faulty.Evacuate):
    """A server is evacuated."""
