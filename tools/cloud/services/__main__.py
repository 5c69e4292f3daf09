# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.cloud.services SERVICE FOLDER``: be a service."""

import argparse
import importlib
import os
import pathlib
import sys
import threading
import time
import traceback

from nova_cyborg.fixture import sqlite
from tools.cloud import settings, supervisor
from tools.cloud import state as cloud_state

# The production-like cloud has these for each fake host.
_OF_A_HOST = ('fake_compute', 'fake_agent')
# The cloud with hypervisor machines has this for "nova".
_OF_MACHINES = ('passthrough_nova',)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.services',
        description='Run one service of a cloud; the supervisor calls this.',
    )
    parser.add_argument(
        'service',
        choices=(*settings.SERVICES, *_OF_A_HOST, *_OF_MACHINES),
        help='which service to run',
    )
    parser.add_argument(
        'folder', type=pathlib.Path, help="the cloud's state folder"
    )
    parser.add_argument('--host', help='the host, if it is one of several')
    args = parser.parse_args()
    state = cloud_state.State.load(args.folder)
    if state is None:
        parser.error(f'{args.folder} has no cloud')
    _end_with(supervisor.find(state.path))
    state.ready(args.service).unlink(missing_ok=True)
    sqlite.install()
    # The services parse the command line once more, for their own options.
    sys.argv = [args.service]
    try:
        module = importlib.import_module(
            f'tools.cloud.services.{args.service}'
        )
        module.serve(state, *filter(None, [args.host]))
    except BaseException:  # noqa: BLE001
        # Threads that the service has started would keep the process, and
        # what of its APIs is up already, alive.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _end_with(parent: int | None) -> None:
    """End this process when its supervisor is gone, however it went.

    :param parent: the supervisor's process id.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name='parent', daemon=True).start()


if __name__ == '__main__':
    main()
