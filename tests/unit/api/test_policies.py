# SPDX-License-Identifier: Apache-2.0

"""Policies, where oslo.policy is older than what is installed."""

import subprocess
import sys

# Imported anew, in a process of its own.
_PROGRAM = """
from oslo_policy import policy
vars(policy).pop('Operation', None)
from nova_cyborg.api import policies
print(len(policies.list_policies()))
"""


def test_no_type_of_oslo_policy_5_is_needed():
    """Releases of OpenStack before 2026.1 have 4.5 and 4.6."""
    done = subprocess.run(
        [sys.executable, '-c', _PROGRAM],
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
