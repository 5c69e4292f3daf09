# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.demo``: a server with an accelerator, from nothing.

Brings the embedded cloud up, and does as a plain project member what the
README promises, with the real command lines; shows what comes of it, and
that nothing is left when the server is deleted.
"""

import argparse
import pathlib
import re
import sys
import tempfile

from tools.cloud import cloud as cloud_module
from tools.cloud import exception
from tools.command_line import signals
from tools.demo import story, terminal

_MATTERS = re.compile(r' (ERROR|CRITICAL) |nova_cyborg')
_LINES = 20


def main() -> int:
    """Run the demo.

    :returns: the exit status: 0 if all was as it should be.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.demo',
        description='Boot a server with a device context, on a cloud of '
        'stock services that is started for it and stopped again.',
    )
    parser.add_argument(
        '--keep',
        action='store_true',
        help='leave the cloud running; its folder is printed',
    )
    plot = parser.add_mutually_exclusive_group()
    plot.add_argument(
        '--hot-plug',
        action='store_true',
        help='with a second device, which is plugged into the server while '
        'it runs, and taken out again',
    )
    plot.add_argument(
        '--passthrough',
        action='store_true',
        help='with a real guest, which gets a real PCI device and computes '
        'with it; needs root, and takes some minutes',
    )
    arguments = parser.parse_args()
    signals.heed()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='nova-cyborg-demo-'))
    cloud = cloud_module.Cloud(folder)
    try:
        story.tell(cloud, _plot(arguments))
    except exception.CloudError as error:
        terminal.failure(str(error))
        _show_logs(folder)
        return 1
    except KeyboardInterrupt:
        terminal.failure('Interrupted.')
        return 130
    finally:
        if arguments.keep:
            terminal.note(f'The cloud is left in {folder}.')
        else:
            terminal.step('The cloud is stopped')
            cloud.down()
    terminal.note('Done.')
    return 0


def _plot(arguments: argparse.Namespace) -> story.Plot:
    if arguments.passthrough:
        return story.PASSTHROUGH
    return story.HOT_PLUG if arguments.hot_plug else story.FAKE


def _show_logs(folder: pathlib.Path) -> None:
    for path in sorted((folder / 'log').glob('*.log')):
        lines = path.read_text(errors='replace').splitlines()
        # A lab's services have much to warn of: errors, and what is ours.
        found = [line for line in lines if _MATTERS.search(line)]
        if found:
            terminal.note(f'From the log of {path.stem}:')
            print(*found[-_LINES:], sep='\n')


if __name__ == '__main__':
    sys.exit(main())
