# SPDX-License-Identifier: Apache-2.0

"""What the scripts start.

They come with the plain install, which has nothing of Cyborg or Nova.
"""

import sys


def manage() -> int:
    """Run ``nova-cyborg-manage``, where it can be run.

    :returns: the exit status.
    """
    try:
        from nova_cyborg.cmd import manage as command
    except ModuleNotFoundError as error:
        print(
            'nova-cyborg-manage works on the database of Cyborg, and there '
            f'is no module {error.name} here. Run it on a host of '
            'cyborg-api, with "nova-cyborg[cyborg]" installed.',
            file=sys.stderr,
        )
        return 1
    return command.main()


def status() -> int:
    """Run ``nova-cyborg-status``, where it can be run.

    :returns: the exit status; 255 if it could not look.
    """
    try:
        from nova_cyborg.cmd import status as command
    except ModuleNotFoundError as error:
        print(
            'nova-cyborg-status looks at what Nova and Cyborg are set up '
            f'with, and there is no module {error.name} here. Run it on a '
            'host of nova-conductor, with "nova-cyborg[nova]" installed, and '
            'on one of cyborg-api, with "nova-cyborg[cyborg]".',
            file=sys.stderr,
        )
        return 255
    return command.main()


def exporter() -> int:
    """Run ``nova-cyborg-exporter``, where it can be run.

    :returns: the exit status.
    """
    try:
        from nova_cyborg.cmd import exporter as command
    except ModuleNotFoundError as error:
        print(
            'nova-cyborg-exporter reads the database of Cyborg for '
            f'Prometheus, and there is no module {error.name} here. Run it '
            'on a host of cyborg-api, with "nova-cyborg[cyborg,exporter]" '
            'installed.',
            file=sys.stderr,
        )
        return 1
    return command.main()
