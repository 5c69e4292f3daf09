# SPDX-License-Identifier: Apache-2.0

"""The audit, as one runs it who wants to know, and changes nothing."""

import os
import subprocess

from tools.cloud import cloud as cloud_module
from tools.cloud.machine import installation


def look(
    cloud: cloud_module.Cloud, grace: int
) -> subprocess.CompletedProcess[str]:
    """Run the audit once, and let it repair nothing.

    :param grace: seconds until it looks again at what it has found.
    :returns: its exit status, which is 0 if it finds nothing, and all that it
        has printed.
    """
    return subprocess.run(
        [
            installation.MANAGE,
            f'--config-file={cloud.folder}/etc/cyborg/cyborg.conf',
            'audit',
            f'--grace={grace}',
        ],
        cwd=installation.ROOT,
        env={**os.environ, **installation.environment()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
