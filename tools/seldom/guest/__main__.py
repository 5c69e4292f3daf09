# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.seldom.guest FOLDER``: make the image, print its path."""

import argparse
import pathlib
import sys

from tools.cloud import exception
from tools.command_line import progress
from tools.seldom.guest.image import image


def main() -> int:
    """Make the image.

    :returns: the exit status.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.seldom.guest', description=__doc__
    )
    parser.add_argument(
        'folder',
        type=pathlib.Path,
        help='where the image and the packages are kept; what is there '
        'already, and is still what it would be made of, is used again',
    )
    arguments = parser.parse_args()
    report = progress.Progress(lambda line: print(line, file=sys.stderr))
    try:
        print(image.build(arguments.folder.absolute(), report))
    except exception.CloudError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
