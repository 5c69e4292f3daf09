# SPDX-License-Identifier: Apache-2.0

"""``nova device-context-attach|detach|list``.

An extension of python-novaclient, which finds the commands by the names of
their functions.
"""

import argparse
import sys
import types
import typing as ty

from novaclient import utils

from nova_cyborg.cli import columns, http, several
from nova_cyborg.cli.servers import (
    attachments,
    calls,
    novaclient_calls,
    waiting,
)

_SERVER = utils.arg('server', metavar='<server>', help='Name or ID of server.')
_CONTEXT = utils.arg(
    'device_context',
    metavar='<device-context>',
    help='Name or ID of the device context.',
)
_CONTEXTS = utils.arg(
    'device_contexts',
    metavar='<device-context>',
    nargs='+',
    help='Name or ID of the device context(s).',
)
_TAG = utils.arg(
    '--tag',
    metavar='<tag>',
    help='What the guest is to know the devices by, in its metadata. Default: '
    "the device context's own tag.",
)
_WAIT = utils.arg(
    '--wait',
    action='store_true',
    help='Wait until it is done, and fail with the reason if it is not.',
)


@_SERVER
@_CONTEXT
@_TAG
@_WAIT
def do_device_context_attach(cs: ty.Any, args: argparse.Namespace) -> None:
    """Attach a device context to a server that exists."""
    clients = novaclient_calls.Clients(cs)
    context_id = http.DeviceContexts(clients).find(args.device_context)
    server_id = calls.server_id(calls.of(clients), args.server)
    attached = attachments.Attachments(calls.of(clients), server_id)
    shown = attached.attach(context_id, args.tag)
    if args.wait:
        waiting.attached(clients, context_id, server_id)
        shown = attached.show(context_id)
    utils.print_dict(_cells(shown, columns.ATTACHED_SHOWN))


@_SERVER
@_CONTEXTS
@_WAIT
def do_device_context_detach(cs: ty.Any, args: argparse.Namespace) -> None:
    """Detach device context(s) from a server."""
    clients = novaclient_calls.Clients(cs)
    server_id = calls.server_id(calls.of(clients), args.server)

    def detach(given: str) -> None:
        attachments.detach(clients, server_id, given, args.wait)

    several.each(
        detach, args.device_contexts, ('detach', 'device context'), _say
    )


@_SERVER
def do_device_context_list(cs: ty.Any, args: argparse.Namespace) -> None:
    """List the device contexts of a server."""
    send = calls.of(novaclient_calls.Clients(cs))
    server_id = calls.server_id(send, args.server)
    found = attachments.Attachments(send, server_id).list()
    names = columns.ATTACHED
    utils.print_list(
        [types.SimpleNamespace(**_cells(each, names)) for each in found], names
    )


def _say(sentence: str) -> None:
    sys.stderr.write(f'{sentence}\n')


def _cells(
    attachment: http.Resource, names: tuple[str, ...]
) -> dict[str, ty.Any]:
    """Return some fields of a device context as they look in a table."""
    row = columns.attached_row(attachment, names)
    texts = (
        cell.human_readable()
        if isinstance(cell, columns.AttachedDevicesColumn)
        else cell
        for cell in row
    )
    return dict(zip(names, texts, strict=True))
