# SPDX-License-Identifier: Apache-2.0

"""The audit, as the operator runs it after all."""

import os
import subprocess

from tools.cloud import cloud as cloud_module
from tools.cloud.machine import installation


def repair(
    cloud: cloud_module.Cloud, grace: int
) -> subprocess.CompletedProcess[str]:
    """Run the audit once, and let it put right what it finds.

    :param grace: seconds until it looks again at what it has found.
    :returns: its exit status, and all that it has printed.
    """
    return subprocess.run(
        [
            installation.MANAGE,
            f'--config-file={cloud.folder}/etc/cyborg/cyborg.conf',
            'audit',
            '--repair',
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
