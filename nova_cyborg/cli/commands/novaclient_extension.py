# SPDX-License-Identifier: Apache-2.0

"""``nova boot --device-context-id``: an extension of python-novaclient.

novaclient finds the two hooks by their names. It keeps the hooks of all its
extensions in one list and runs that list once for **each** extension, so
that running them again must change nothing.
"""

import argparse
import collections.abc
import functools
import typing as ty

from novaclient import utils
from novaclient.v2 import shell

from nova_cyborg import exception, model
from nova_cyborg.cli import errors, http, ids
from nova_cyborg.cli.servers import novaclient_calls

_OPTION_HELP = (
    'Give the server the accelerators of this device context (name or ID), '
    'made with "cyborg device-context-create". Can be specified multiple '
    'times, for more device contexts. Example: nova boot --device-context-id '
    '<device-context> --flavor m1.small --image <image> vm1'
)

_Command = collections.abc.Callable[[ty.Any, argparse.Namespace], ty.Any]


def __pre_parse_args__() -> None:  # noqa: N807
    """Add the option to ``nova boot``; adding it again has no effect."""
    utils.add_arg(
        shell.do_boot,
        '--device-context-id',
        metavar='<device-context>',
        dest='device_context_ids',
        action='append',
        default=[],
        help=_OPTION_HELP,
    )


def __post_parse_args__(args: argparse.Namespace) -> None:  # noqa: N807
    """Have the device contexts found before the server is booted.

    Names can be looked up only when novaclient has logged in.

    :param args: the arguments of whatever subcommand was given.
    """
    texts = getattr(args, 'device_context_ids', None)
    if not texts:
        return
    args.device_context_ids = []
    args.func = _with_contexts(args.func, texts)


def _with_contexts(command: _Command, texts: list[str]) -> _Command:
    # novaclient reads attributes of the function.
    @functools.wraps(command)
    def run(cs: ty.Any, args: argparse.Namespace) -> ty.Any:
        args.scheduler_hints = _hints(cs, args, texts)
        return command(cs, args)

    return run


def _hints(
    cs: ty.Any, args: argparse.Namespace, texts: list[str]
) -> list[tuple[str, str]]:
    """Return the scheduler hints, with the device contexts."""
    # Pairs, as novaclient's own --hint keeps them; equal keys make a list.
    hints = args.scheduler_hints or []
    texts = [value for key, value in hints if key == model.HINT] + texts
    # Without --max-count, --min-count is the number of servers.
    count = max(args.min_count or 1, args.max_count or 1)
    find = http.DeviceContexts(novaclient_calls.Clients(cs)).find
    try:
        context_ids = ids.for_one_server(texts, count, find)
    except exception.DeviceContextError as error:
        raise errors.CommandError(str(error)) from error
    return [
        *((key, value) for key, value in hints if key != model.HINT),
        *((model.HINT, context_id) for context_id in context_ids),
    ]
