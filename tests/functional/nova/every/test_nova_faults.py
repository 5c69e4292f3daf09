# SPDX-License-Identifier: Apache-2.0

"""Nova itself fails in every way on the way."""

from tests.functional.nova import test_nova_faults  # isort: skip - first

from tests.functional.nova import faulty


class BootTest(test_nova_faults.Guest, test_nova_faults.Failure, faulty.Boot):
    """A server is booted."""

    HOW_MANY = 2


class UnshelveTest(
    test_nova_faults.Network, test_nova_faults.NoAnswer, faulty.Unshelve
):
    """A server is unshelved."""


class EvacuateTest(test_nova_faults.Failure, faulty.Evacuate):
    """A server is evacuated."""
