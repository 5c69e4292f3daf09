# SPDX-License-Identifier: Apache-2.0

"""Nova's scheduler has found no host: what else would do, and why not."""

from __future__ import annotations

import collections.abc
import contextlib
import time
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.scheduler import request_filter, utils
from oslo_serialization import jsonutils

from nova_cyborg.contract import runner, spec

# Seconds after which nothing else is tried, however much else would do.
_MAX_SECONDS = 30
_Chosen = ty.TypeVar('_Chosen')


def first_available(
    hooks: runner.HookRunner,
    context: nova_context.RequestContext,
    request_spec: objects.RequestSpec,
    server_ids: list[str],
    operation: spec.Operation,
    schedule: collections.abc.Callable[[], _Chosen],
) -> _Chosen:
    """Have the scheduler look for what is asked for, or what else would do.

    If there is no host for any of it, the hooks say why.

    :param hooks: the hooks.
    :param request_spec: the request for the servers that are scheduled.
    :param server_ids: UUIDs of the servers.
    :param operation: what is done with them.
    :param schedule: has the scheduler look for hosts.
    :returns: what that returns.
    :raises NoValidHost: if the scheduler raises it.
    """
    end = time.monotonic() + _MAX_SECONDS
    while True:
        try:
            return schedule()
        except nova_exception.NoValidHost as exc:
            if time.monotonic() < end and hooks.otherwise(
                context, request_spec, server_ids, operation
            ):
                continue
            reason = hooks.why_no_host(
                context, request_spec, server_ids[0], operation
            )
            if not reason:
                raise
            raise nova_exception.NoValidHost(reason=reason) from exc


def asked_for(
    host_list: collections.abc.Iterable[objects.Selection] | None,
) -> frozenset[str]:
    """Name the request groups that alternate hosts were chosen for.

    :param host_list: the hosts, if there are any.
    :returns: the names.
    """
    return frozenset(
        name for selection in host_list or () for name in _mappings(selection)
    )


def _mappings(selection: objects.Selection) -> dict[str, list[str]]:
    # What has chosen the host need not have asked Placement.
    found = jsonutils.loads(selection.allocation_request or '{}') or {}
    mappings: dict[str, list[str]] = found.get('mappings') or {}
    return mappings


@contextlib.contextmanager
def kept() -> collections.abc.Iterator[None]:
    """Have a move fail with what :func:`first_available` has said.

    Nova puts a sentence of its own in its place, and so into the action of
    the server: the one place where it shows why a server did not move.

    :returns: a context manager.
    :raises NoValidHost: if Nova raises it.
    """
    try:
        yield
    except nova_exception.NoValidHost as exc:
        first = exc.__context__
        if not isinstance(first, nova_exception.NoValidHost):
            raise
        raise first from None


def query(
    context: nova_context.RequestContext, request_spec: objects.RequestSpec
) -> str:
    """Write again what the scheduler has asked Placement with.

    Without a host that was asked for: see :func:`names_host`.

    :param request_spec: the request for a server; it stays as it is.
    :returns: the query of a request for candidates.
    """
    wanted = _anywhere(request_spec)
    request_filter.process_reqspec(context, wanted)
    # It is only asked for hosts, of which there are none.
    resources = utils.resources_from_request_spec(context, wanted, None)
    return str(resources.to_querystring())


def names_host(request_spec: objects.RequestSpec) -> bool:
    """Tell whether a certain host is asked for.

    :param request_spec: the request for a server.
    :returns: whether it is.
    """
    names = [
        *(_field(request_spec, 'force_hosts') or ()),
        *(_field(request_spec, 'force_nodes') or ()),
    ]
    destination = _field(request_spec, 'requested_destination')
    if destination is not None:
        names += [_field(destination, name) for name in ('host', 'node')]
    return any(names)


def leaves_host(request_spec: objects.RequestSpec) -> bool:
    """Tell whether a server is to get to another host than it is on.

    :param request_spec: the request for the server.
    :returns: whether it is.
    """
    return bool(_field(request_spec, 'ignore_hosts'))


def _anywhere(request_spec: objects.RequestSpec) -> objects.RequestSpec:
    wanted = request_spec.obj_clone()
    wanted.force_hosts = wanted.force_nodes = None
    if names_host(wanted):
        old = wanted.requested_destination
        wanted.requested_destination = objects.Destination(
            **{
                name: getattr(old, name)
                for name in ('cell', 'aggregates', 'forbidden_aggregates')
                if name in old
            }
        )
    return wanted


def _field(thing: ty.Any, name: str) -> ty.Any:
    return getattr(thing, name) if name in thing else None
