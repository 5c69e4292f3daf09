# SPDX-License-Identifier: Apache-2.0

"""``python -m nova_cyborg.cli``: what the script ``cyborg`` is.

Old releases of python-cyborgclient have a script of that name, too, and take
ours away when they are installed or removed.
"""

import sys

from nova_cyborg.cli.commands import shell

if __name__ == '__main__':
    sys.exit(shell.main())
