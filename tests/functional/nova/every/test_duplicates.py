# SPDX-License-Identifier: Apache-2.0

"""Messages come twice, one after the other."""

from tests.functional.nova import messages  # isort: skip - first


class DuplicateTest(messages.Duplicates, messages.TestCase):
    """The second comes when the first has been dealt with."""

    TOGETHER = False
