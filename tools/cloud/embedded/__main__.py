# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.cloud.embedded MODULE FOLDER``: be a service.

The supervisor starts the cloud's own processes so. What fills a database of
the production-like cloud, and ends, is started in the same way by ``up``.
"""

import argparse
import importlib
import os
import pathlib
import sys
import threading
import time
import traceback

from nova_cyborg.fixture import sqlite
from tools.cloud.model import state as cloud_state


def main() -> None:
    """Run a service until the process is ended."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.embedded',
        description='Run one service of a cloud; the cloud calls this.',
    )
    parser.add_argument('module', help='the module whose run() is the service')
    parser.add_argument(
        'folder', type=pathlib.Path, help="the cloud's state folder"
    )
    parser.add_argument('--host', help='the host, if it is one of several')
    args = parser.parse_args()
    state = cloud_state.State.load(args.folder)
    if state is None:
        parser.error(f'{args.folder} has no cloud')
    _end_with(os.getppid())
    sqlite.install()
    # The services parse the command line once more, for their own options.
    sys.argv = [args.module]
    try:
        module = importlib.import_module(args.module)
        module.run(state, *filter(None, [args.host]))
    except BaseException:  # noqa: BLE001
        # Threads that the service has started would keep the process, and
        # what of its APIs is up already, alive.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, however it went.

    :param parent: the supervisor's process id.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name='parent', daemon=True).start()


if __name__ == '__main__':
    main()
