# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.cloud``."""

import sys

from tools.cloud import cli

if __name__ == '__main__':
    sys.exit(cli.main())
