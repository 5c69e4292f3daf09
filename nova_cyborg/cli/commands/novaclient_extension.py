# SPDX-License-Identifier: Apache-2.0

"""``nova boot --device-context-id``: an extension of python-novaclient.

novaclient finds the two hooks by their names. It keeps the hooks of all its
extensions in one list and runs that list once for **each** extension, so
that running them again must change nothing.
"""

import argparse

from novaclient import exceptions as nova_exc
from novaclient import utils
from novaclient.v2 import shell

from nova_cyborg import exception, model
from nova_cyborg.cli import ids

_OPTION_HELP = (
    'Give the server the accelerators of this device context, made with '
    '"cyborg device-context-create". Can be specified multiple times, for '
    'more device contexts. Example: nova boot --device-context-id '
    '<device-context-id> --flavor m1.small --image <image> vm1'
)


def __pre_parse_args__() -> None:  # noqa: N807
    """Add the option to ``nova boot``; adding it again has no effect."""
    utils.add_arg(
        shell.do_boot,
        '--device-context-id',
        metavar='<device-context-id>',
        dest='device_context_ids',
        action='append',
        default=[],
        help=_OPTION_HELP,
    )


def __post_parse_args__(args: argparse.Namespace) -> None:  # noqa: N807
    """Put the device contexts into the scheduler hints.

    :param args: the arguments of whatever subcommand was given.
    :raises CommandError: if the device contexts cannot be used so.
    """
    texts = getattr(args, 'device_context_ids', None)
    if not texts:
        return
    # Pairs, as novaclient's own --hint keeps them; equal keys make a list.
    hints = args.scheduler_hints or []
    texts = [value for key, value in hints if key == model.HINT] + texts
    # Without --max-count, --min-count is the number of servers.
    count = max(args.min_count or 1, args.max_count or 1)
    try:
        context_ids = ids.for_one_server(texts, count)
    except exception.DeviceContextError as error:
        raise nova_exc.CommandError(str(error)) from error
    args.scheduler_hints = [
        *((key, value) for key, value in hints if key != model.HINT),
        *((model.HINT, context_id) for context_id in context_ids),
    ]
    args.device_context_ids = []
