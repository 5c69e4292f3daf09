# SPDX-License-Identifier: Apache-2.0

"""``nova device-context-attach|detach|list``.

An extension of python-novaclient, which finds the commands by the names of
their functions.
"""

import argparse
import functools
import types
import typing as ty

from keystoneauth1 import adapter
from novaclient import utils

from nova_cyborg.cli import columns, http
from nova_cyborg.cli.servers import attachments, waiting

_SERVER = utils.arg('server', metavar='<server>', help='Name or ID of server.')
_CONTEXT = utils.arg(
    'device_context',
    metavar='<device-context>',
    help='ID of the device context.',
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
    context_id = attachments.context_id(args.device_context)
    server_id = _server_id(cs, args.server)
    calls = attachments.Attachments(_send(cs), server_id)
    shown = calls.attach(context_id, args.tag)
    if args.wait:
        waiting.attached(_Clients(cs), context_id, server_id)
        shown = calls.show(context_id)
    utils.print_dict(_cells(shown, columns.ATTACHED_SHOWN))


@_SERVER
@_CONTEXT
@_WAIT
def do_device_context_detach(cs: ty.Any, args: argparse.Namespace) -> None:
    """Detach a device context from a server."""
    context_id = attachments.context_id(args.device_context)
    server_id = _server_id(cs, args.server)
    attachments.Attachments(_send(cs), server_id).detach(context_id)
    if args.wait:
        waiting.detached(_Clients(cs), context_id, server_id)


@_SERVER
def do_device_context_list(cs: ty.Any, args: argparse.Namespace) -> None:
    """List the device contexts of a server."""
    server_id = _server_id(cs, args.server)
    found = attachments.Attachments(_send(cs), server_id).list()
    names = columns.ATTACHED
    utils.print_list(
        [types.SimpleNamespace(**_cells(each, names)) for each in found], names
    )


class _Clients:
    """Looks for Cyborg in the catalog that Nova was found in."""

    def __init__(self, cs: ty.Any) -> None:
        self._nova = cs.client

    @functools.cached_property
    def accelerator(self) -> adapter.Adapter:
        """The Accelerator service."""
        return adapter.Adapter(
            session=self._nova.session,
            auth=self._nova.auth,
            service_type='accelerator',
            interface=self._nova.interface,
            region_name=self._nova.region_name,
        )


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


def _server_id(cs: ty.Any, name_or_id: str) -> str:
    return utils.find_resource(cs.servers, name_or_id).id


def _send(cs: ty.Any) -> attachments.Send:
    def send(path: str, method: str, **kwargs: ty.Any) -> attachments.Response:
        # Beside the response there is its body.
        return cs.client.request(path, method, **kwargs)[0]

    return send
