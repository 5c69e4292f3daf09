# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.cloud.production.setup SERVICE FOLDER``.

What is to be put into the services' databases, and no command of theirs does.
"""

import argparse
import importlib
import pathlib
import sys

from tools.cloud import state as cloud_state


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud.production.setup',
        description="Fill a service's database; the cloud calls this.",
    )
    parser.add_argument(
        'service',
        choices=('keystone', 'neutron', 'cyborg'),
        help='whose database',
    )
    parser.add_argument(
        'folder', type=pathlib.Path, help="the cloud's state folder"
    )
    args = parser.parse_args()
    state = cloud_state.State.load(args.folder)
    if state is None:
        parser.error(f'{args.folder} has no cloud')
    # The services parse the command line once more, for their own options.
    sys.argv = [args.service]
    module = importlib.import_module(
        f'tools.cloud.services.{args.service}_setup'
    )
    module.run(state)


if __name__ == '__main__':
    main()
