# SPDX-License-Identifier: Apache-2.0

"""Recording events, in the transaction of what they are of.

One statement records those of all device contexts that are changed together.
Who has subscribed is told of them when the transaction is committed, and not
at all if it is not.
"""

import collections.abc
import dataclasses
import datetime
import logging
import typing as ty

import sqlalchemy as sa
from oslo_context import context as oslo_context
from oslo_utils import timeutils, uuidutils
from sqlalchemy import orm

from nova_cyborg.db import tables
from nova_cyborg.db.events import actions

LOG = logging.getLogger(__name__)

# Characters of a message.
_MOST_SAID = 1024


class Context(ty.Protocol):
    """What events say of a device context; its row and its data have it."""

    @property
    def uuid(self) -> ty.Any:
        """Its UUID."""

    @property
    def project_id(self) -> ty.Any:
        """The project that it is in."""

    @property
    def user_id(self) -> ty.Any:
        """The user who has made it."""

    @property
    def name(self) -> ty.Any:
        """Its name."""

    @property
    def tag(self) -> ty.Any:
        """By which a guest finds its device."""

    @property
    def device_profile_id(self) -> ty.Any:
        """UUID of the profile that its groups were copied from."""

    @property
    def delete_on_termination(self) -> ty.Any:
        """Whether it is deleted with its server."""

    @property
    def live_migration(self) -> ty.Any:
        """What becomes of its devices when its server is migrated."""


#: What is said of a device context to who has subscribed.
SAID = (
    'uuid',
    'project_id',
    'user_id',
    'name',
    'tag',
    'device_profile_id',
    'delete_on_termination',
    'live_migration',
)


@dataclasses.dataclass(frozen=True)
class What:
    """What happens to device contexts.

    :ivar action: one of :class:`actions.Action`.
    :ivar outcome: one of :class:`actions.Outcome`.
    :ivar server_id: UUID of the server that it is for; None if there is none.
    :ivar host: the node of their devices; None if it is about none.
    :ivar message: what there is to say of it, as why it failed.
    :ivar seconds: how long it took, if that is known.
    """

    action: str
    outcome: str = actions.Outcome.SUCCESS
    server_id: str | None = None
    host: str | None = None
    message: str | None = None
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class Event:
    """What has happened to a device context.

    :ivar uuid: the event's own UUID.
    :ivar what: what it was.
    :ivar user_id: who did it; None if a service did by itself.
    :ivar project_id: the project of who did it.
    :ivar request_id: the request that it was done for.
    :ivar created_at: when.
    :ivar context: what the device context said, by name; see :data:`SAID`.
        None where it is not known any more.
    """

    uuid: str
    what: What
    user_id: str | None
    project_id: str | None
    request_id: str | None
    created_at: datetime.datetime
    context: collections.abc.Mapping[str, ty.Any] | None = None


_Subscriber: ty.TypeAlias = collections.abc.Callable[[Event], None]
_subscribers: dict[str, _Subscriber] = {}


def subscribe(name: str, subscriber: _Subscriber | None) -> None:
    """Have something done with each event, once it is committed.

    It may neither wait nor use the database: the request waits for it.

    :param name: what it is; there is one of a name.
    :param subscriber: is called with the event; None for no more.
    """
    if subscriber is None:
        _subscribers.pop(name, None)
    else:
        _subscribers[name] = subscriber


def record(
    db: orm.Session,
    contexts: collections.abc.Iterable[Context],
    what: What,
) -> None:
    """Record what happens to device contexts, with one statement.

    :param db: the session of the transaction that changes them.
    :param contexts: the device contexts.
    :param what: what happens to all of them.
    """
    record_each(db, [(context, what) for context in contexts])


def record_each(
    db: orm.Session,
    found: collections.abc.Sequence[tuple[Context, What]],
) -> None:
    """See :func:`record`; each has its own.

    :param found: each device context, and what happens to it.
    """
    if not found:
        return
    who = oslo_context.get_current()
    now = timeutils.utcnow()
    events = [
        Event(
            uuid=uuidutils.generate_uuid(),
            what=_shortened(what),
            user_id=getattr(who, 'user_id', None),
            project_id=getattr(who, 'project_id', None),
            request_id=getattr(who, 'request_id', None),
            created_at=now,
            context={name: getattr(context, name) for name in SAID},
        )
        for context, what in found
    ]
    db.execute(
        # All have the same columns: it is one statement.
        sa.insert(tables.DeviceContextEvent).execution_options(
            render_nulls=True
        ),
        [_as_row(each) for each in events],
    )
    if _subscribers:
        sa.event.listen(
            db, 'after_commit', lambda _session: _tell(events), once=True
        )


def _shortened(what: What) -> What:
    if what.message is None or len(what.message) <= _MOST_SAID:
        return what
    return dataclasses.replace(what, message=what.message[:_MOST_SAID])


def _as_row(event: Event) -> dict[str, ty.Any]:
    context = event.context or {}
    return {
        'uuid': event.uuid,
        'context_uuid': context['uuid'],
        'owner_id': context['project_id'],
        'action': event.what.action,
        'outcome': event.what.outcome,
        'server_id': event.what.server_id,
        'host': event.what.host,
        'message': event.what.message,
        'user_id': event.user_id,
        'project_id': event.project_id,
        'request_id': event.request_id,
        'created_at': event.created_at,
    }


def _tell(events: collections.abc.Iterable[Event]) -> None:
    for event in events:
        for name, subscriber in list(_subscribers.items()):
            try:
                subscriber(event)
            except Exception:
                # What has been done is done, whoever is not told of it.
                LOG.exception('An event was lost for %s', name)
