# SPDX-License-Identifier: Apache-2.0

"""The client for Cyborg, as Nova's services call other services."""

from __future__ import annotations

import collections.abc
import copy
import functools
import logging
import os
import time
import typing as ty

from keystoneauth1 import loading as ks_loading
from keystoneauth1 import session as ks_session
from nova import conf, service_auth, utils
from nova import context as nova_context
from nova import exception as nova_exception

from nova_cyborg import cyborg_client, exception

LOG = logging.getLogger(__name__)

# Its name before 2026.1 was shorter.
_get_auth_plugin: ty.Any = getattr(
    service_auth,
    'get_service_user_token_auth_plugin',
    getattr(service_auth, 'get_auth_plugin', None),
)
# Seconds, when nova.conf's [cyborg] timeout is not set: without any, a Cyborg
# that takes a connection and never answers would keep a thread for ever.
_DEFAULT_TIMEOUT = 120
# The seconds between two calls of one that is repeated: cyborg-api may be
# started again meanwhile; and how long after the first one another is made, at
# most. One that does not answer at all would keep what waits for it for ever.
_PAUSES = (0.5, 2, 8)
_LONGEST = 30

# What a session is made of, in nova.conf's [cyborg].
_SESSION_OPTIONS = ('insecure', 'cafile', 'certfile', 'keyfile', 'timeout')

_Result = ty.TypeVar('_Result')


def allocation_client(
    context: nova_context.RequestContext,
) -> cyborg_client.AllocationClient:
    """Make a client; it makes no call by itself.

    It is set up by nova.conf's ``[cyborg]`` and ``[service_user]`` sections,
    as Nova's own client for Cyborg is. All clients of a process share their
    connections, and Nova keeps its service token: a call costs no more than
    itself.

    :param context: its user's token is used, with Nova's service token
        beside it.
    :returns: the client.
    """
    adapter = utils.get_ksa_adapter(
        'accelerator',
        ksa_auth=_get_auth_plugin(context),
        ksa_session=_session(),
    )
    return cyborg_client.AllocationClient(adapter)


def _session() -> ks_session.Session:
    """Return this process's session, which keeps connections open.

    It has no credentials: each call is made with those of its adapter.
    """
    options = conf.CONF.cyborg
    return _session_of(
        os.getpid(), *(getattr(options, name) for name in _SESSION_OPTIONS)
    )


# Another one when nova.conf was read again, and in a worker that was forked.
@functools.lru_cache(maxsize=1)
def _session_of(*_options: object) -> ks_session.Session:
    session: ks_session.Session = ks_loading.load_session_from_conf_options(
        conf.CONF, 'cyborg'
    )
    if session.timeout is None:
        session.timeout = _DEFAULT_TIMEOUT
    return session


def with_credentials(
    context: nova_context.RequestContext,
) -> nova_context.RequestContext:
    """Return a context in which Cyborg can be called.

    What nova-compute does of its own accord, at its start and from time to
    time, no user has sent a token for. Nova's clients of Cinder and Neutron
    then use credentials of their own; its client of Cyborg has none, and
    devices that it is to unbind would stay bound. The service user's stand in
    for them.

    :param context: the context, which stays as it is.
    :returns: it, if it has a user's token, or Nova has no service user; else
        a copy with the service user's credentials.
    """
    if context.auth_token or context.user_auth_plugin:
        return context
    service_auth_plugin = getattr(
        _get_auth_plugin(context), 'service_auth', None
    )
    if service_auth_plugin is None:
        return context
    able = copy.copy(context)
    able.user_auth_plugin = service_auth_plugin
    return able


def repeating(
    call: collections.abc.Callable[[], _Result],
    pauses: collections.abc.Iterable[float] | None = None,
    end: float | None = None,
) -> _Result:
    """Call Cyborg, and again if it does not answer, or fails.

    :param call: the call, which is safe to repeat, or to come late.
    :param pauses: the seconds between two calls; None for those between which
        cyborg-api can be started again.
    :param end: when no other call is made any more, of the monotonic clock;
        None for half a minute from now.
    :returns: what it returns.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    if end is None:
        end = time.monotonic() + _LONGEST
    for pause in _PAUSES if pauses is None else pauses:
        try:
            return call()
        except (exception.CyborgUnreachable, exception.CyborgFailed) as exc:
            if time.monotonic() + pause > end:
                raise
            LOG.info('Cyborg is asked once more: %s', exc)
        time.sleep(pause)
    return call()


def told_of(error: BaseException) -> str:
    """Return what Cyborg is told of an error, for the project to read.

    :param error: what has failed.
    :returns: a sentence; of what is neither ours nor Nova's, its kind alone.
    """
    if isinstance(error, exception.DeviceContextError):
        return str(error)
    if isinstance(error, nova_exception.NovaException):
        return str(error.format_message())
    # It may have the names of databases and hosts of the cloud in it.
    return f'Nova failed ({type(error).__name__}).'
