# SPDX-License-Identifier: Apache-2.0

"""The project's own tables, beside Cyborg's in Cyborg's database.

They have metadata of their own, so that Cyborg's schema tools never see
them, and refer to Cyborg's rows by UUID and without foreign keys: the two
schemas are upgraded independently of each other.
"""

import datetime
import re

import sqlalchemy as sa
from oslo_utils import timeutils
from sqlalchemy import orm
from sqlalchemy.dialects import mysql

from nova_cyborg import model


class Base(orm.DeclarativeBase):
    """Base of the project's tables."""


class Said(sa.types.TypeDecorator[str]):
    """What services and agents say, of which nobody has checked a character.

    In MariaDB, that may be more than the database can store: most are of
    ``utf8mb3``, which has the first 65536. What is to be recorded does not
    fail for that.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(
        self, value: str | None, dialect: sa.Dialect
    ) -> str | None:
        """Replace what may not be storable."""
        if value is None or dialect.name not in ('mysql', 'mariadb'):
            return value
        return storable(value)


def storable(text: str) -> str:
    """Replace what not every database can store.

    :param text: any text.
    :returns: the text, with U+FFFD in the place of characters after U+FFFF.
    """
    return _UNSTORABLE.sub('\ufffd', text)


_UNSTORABLE = re.compile('[\U00010000-\U0010ffff]')
# A tag as UTF-8. To a database, texts that differ may be equal.
_TAG = sa.LargeBinary().with_variant(mysql.VARBINARY(240), 'mysql', 'mariadb')


class _Timestamps:
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow
    )
    updated_at: orm.Mapped[datetime.datetime | None] = orm.mapped_column(
        onupdate=timeutils.utcnow
    )


_IS_FAULTY = 'fault IS NOT NULL'


class DeviceAllocation(_Timestamps, Base):
    """The set of device contexts that a server holds.

    ``generation`` counts the attempts to bring the server to a host;
    ``operation`` and ``caller`` say who made the last one. ``settled_at`` is
    when Nova said that nothing was being done with the server, and all was as
    it should be; NULL from each change on.
    """

    __tablename__ = 'device_allocations'
    __table_args__ = (
        sa.Index('ix_device_allocations_updated_at', 'updated_at'),
        # Of those that have one. MariaDB has no index of a part, and reads
        # all; the text itself may be too long for one of PostgreSQL's.
        sa.Index(
            'ix_device_allocations_faulty',
            'id',
            sqlite_where=sa.text(_IS_FAULTY),
            postgresql_where=sa.text(_IS_FAULTY),
        ),
    )

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    server_id: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True)
    project_id: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    generation: orm.Mapped[int] = orm.mapped_column(default=0)
    operation: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    caller: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    fault: orm.Mapped[str | None] = orm.mapped_column(Said)
    settled_at: orm.Mapped[datetime.datetime | None] = orm.mapped_column(
        index=True
    )


_IS_HELD = 'allocation_id IS NOT NULL'
_IS_CHANGING = 'transition IS NOT NULL'


class DeviceContext(_Timestamps, Base):
    """A device context; ``groups`` is JSON in the form of the API.

    ``groups_size`` is how many bytes that takes: a database would read all of
    a large text to say so. ``live_migration`` is one of
    :class:`model.LiveMigration`, ``transition`` one of
    :class:`model.Transition`. ``transition_caller`` says who attaches or
    detaches it, or did so last; ``fault``, why that has failed.
    ``tag_before`` is the tag that it has again if it is not attached, '' for
    none, while it has another to be attached with.
    ``demands_recorded`` says whether its rows of :class:`DeviceContextDemand`
    are there. ``revision`` rises with each change of what its project can
    change.
    """

    __tablename__ = 'device_contexts'
    __table_args__ = (
        sa.Index('ix_device_contexts_created_at', 'created_at'),
        sa.Index('ix_device_contexts_updated_at', 'updated_at'),
        # Each order of a project's list; and whether a server holds it, which
        # is most of its status.
        sa.Index(
            'ix_device_contexts_project_created',
            'project_id',
            'created_at',
            'id',
        ),
        sa.Index(
            'ix_device_contexts_project_held',
            'project_id',
            'allocation_id',
            'created_at',
            'id',
        ),
        # MariaDB has no index of a part. There, it has those that are held
        # told apart without a look at their rows.
        sa.Index(
            'ix_device_contexts_project_created_held',
            'project_id',
            'created_at',
            'id',
            'allocation_id',
            sqlite_where=sa.text(_IS_HELD),
            postgresql_where=sa.text(_IS_HELD),
        ),
        sa.Index(
            'ix_device_contexts_project_updated',
            'project_id',
            'updated_at',
            'id',
        ),
        sa.Index(
            'ix_device_contexts_project_name', 'project_id', 'name', 'id'
        ),
        sa.Index('ix_device_contexts_project_uuid', 'project_id', 'uuid'),
        sa.Index(
            'ix_device_contexts_project_tag',
            'project_id',
            'tag',
            'created_at',
            'id',
        ),
        sa.Index('ix_device_contexts_name', 'name'),
        sa.Index('ix_device_contexts_tag', 'tag'),
        # Of those that have one: by an index of all, SQLite would look for
        # all the others.
        sa.Index(
            'ix_device_contexts_transition',
            'transition',
            sqlite_where=sa.text(_IS_CHANGING),
            postgresql_where=sa.text(_IS_CHANGING),
        ),
    )

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True)
    project_id: orm.Mapped[str] = orm.mapped_column(sa.String(255), index=True)
    user_id: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    name: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    description: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    groups: orm.Mapped[str] = orm.mapped_column(sa.Text)
    groups_size: orm.Mapped[int] = orm.mapped_column(server_default='0')
    demands_recorded: orm.Mapped[bool] = orm.mapped_column(
        default=False, server_default=sa.false(), index=True
    )
    device_profile_id: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(36), index=True
    )
    delete_on_termination: orm.Mapped[bool] = orm.mapped_column(default=True)
    live_migration: orm.Mapped[str] = orm.mapped_column(
        sa.String(16),
        default=model.LiveMigration.REFUSE,
        server_default=model.LiveMigration.REFUSE,
    )
    tag: orm.Mapped[str | None] = orm.mapped_column(sa.String(80))
    transition: orm.Mapped[str | None] = orm.mapped_column(sa.String(16))
    transition_caller: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(36)
    )
    transition_since: orm.Mapped[datetime.datetime | None]
    tag_before: orm.Mapped[str | None] = orm.mapped_column(sa.String(80))
    fault: orm.Mapped[str | None] = orm.mapped_column(Said)
    revision: orm.Mapped[int] = orm.mapped_column(
        default=0, server_default='0'
    )
    allocation_id: orm.Mapped[int | None] = orm.mapped_column(
        sa.ForeignKey('device_allocations.id'), index=True
    )


class DeviceContextDemand(Base):
    """A name that a device context asks for, once however often it does.

    ``kind`` is one of those of :mod:`nova_cyborg.db.lists.demands`. By the
    UUID, which never comes back, as row ids do: where SQLite does not check
    references, rows are left that are of nothing.
    """

    __tablename__ = 'device_context_demands'
    __table_args__ = (
        sa.Index('ix_device_context_demands_kind_name', 'kind', 'name'),
    )

    context_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey('device_contexts.uuid', ondelete='CASCADE'),
        primary_key=True,
    )
    kind: orm.Mapped[str] = orm.mapped_column(sa.String(16), primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(255), primary_key=True)


class DeviceContextTag(Base):
    """A tag that a device context is found by.

    Not its device tag, which is in its own row, and which guests see.
    """

    __tablename__ = 'device_context_tags'

    context_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey('device_contexts.uuid', ondelete='CASCADE'),
        primary_key=True,
    )
    tag: orm.Mapped[bytes] = orm.mapped_column(
        _TAG, primary_key=True, index=True
    )


class DeviceContextAmount(Base):
    """How much of a resource class a device context asks for, in all.

    It is there once the device context was counted; see
    :mod:`nova_cyborg.db.limits.usage`.
    """

    __tablename__ = 'device_context_amounts'

    device_context_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.String(36),
        sa.ForeignKey('device_contexts.uuid', ondelete='CASCADE'),
        primary_key=True,
    )
    resource_class: orm.Mapped[str] = orm.mapped_column(
        sa.String(255), primary_key=True
    )
    amount: orm.Mapped[int]


class DeviceBinding(Base):
    """The devices of a server on one node: see :class:`model.BindingState`.

    ``generation`` is that of the attempt that has made it; ``migration_id``
    is Nova's, if the server is moved. ``active_of`` is the allocation's row
    id if the binding is active, else NULL: no two of a server can be.
    """

    __tablename__ = 'device_bindings'

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    allocation_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey('device_allocations.id'), index=True
    )
    node: orm.Mapped[str] = orm.mapped_column(sa.String(255), index=True)
    generation: orm.Mapped[int]
    migration_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(36))
    state: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    active_of: orm.Mapped[int | None] = orm.mapped_column(unique=True)


class DeviceContextArq(Base):
    """Which accelerator request of Cyborg stands for which group.

    Of which binding of the server that holds the device context, and which
    alternative of the group was chosen for it.
    """

    __tablename__ = 'device_context_arqs'

    arq_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.String(36), primary_key=True
    )
    device_context_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey('device_contexts.id'), index=True
    )
    group_number: orm.Mapped[int]
    alternative: orm.Mapped[int] = orm.mapped_column(
        default=0, server_default='0'
    )
    binding_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey('device_bindings.id'), index=True
    )


class HandleOutage(Base):
    """Why an attach handle of Cyborg's is not given to a server.

    One row for each reason. A handle without a row is given if it is not in
    use.
    """

    __tablename__ = 'attach_handle_outages'

    handle_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.String(36), primary_key=True
    )
    reason: orm.Mapped[str] = orm.mapped_column(
        sa.String(32), primary_key=True
    )
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow
    )
    detail: orm.Mapped[str | None] = orm.mapped_column(Said)


class DeviceTaint(Base):
    """Why a device is given only to who tolerates that.

    ``source`` says who has tainted it: see
    :mod:`nova_cyborg.db.inventory.taints`.
    """

    __tablename__ = 'device_taints'
    __table_args__ = (
        sa.UniqueConstraint(
            'device_uuid', 'key', name='uniq_device_taints0device_uuid0key'
        ),
    )

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), primary_key=True)
    device_uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    key: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    reason: orm.Mapped[str] = orm.mapped_column(sa.Text)
    source: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow
    )


class HostLock(Base):
    """A row for who gives slots of a host to wait for: one does at a time."""

    __tablename__ = 'host_locks'

    hostname: orm.Mapped[str] = orm.mapped_column(
        sa.String(255), primary_key=True
    )
    times: orm.Mapped[int] = orm.mapped_column(default=0)


class ProjectLock(Base):
    """A row for who counts what a project has to wait for."""

    __tablename__ = 'project_locks'

    project_id: orm.Mapped[str] = orm.mapped_column(
        sa.String(255), primary_key=True
    )
    times: orm.Mapped[int] = orm.mapped_column(default=0)


class HostReport(Base):
    """Which cyborg-conductor records the report of a host, and until when."""

    __tablename__ = 'host_reports'

    hostname: orm.Mapped[str] = orm.mapped_column(
        sa.String(255), primary_key=True
    )
    recorder: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    expires_at: orm.Mapped[datetime.datetime]


class SettledArq(Base):
    """An ARQ of no device context that is as Nova says; see ``settled_at``.

    Each is bound once: what its server is given later has a row of its own.
    """

    __tablename__ = 'settled_arqs'

    arq_uuid: orm.Mapped[str] = orm.mapped_column(
        sa.String(36), primary_key=True
    )
    settled_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow
    )


class Lease(Base):
    """Which process does something that one does at a time, and until when.

    Times are seconds since 1970 by the clock of the database, which is one
    for all. ``holder`` is a UUID of the process, ``host`` its host;
    ``good_at`` is when the last list of Nova's changes began that had all of
    them, ``report`` what it has found, in JSON.
    """

    __tablename__ = 'leases'

    name: orm.Mapped[str] = orm.mapped_column(sa.String(64), primary_key=True)
    holder: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    host: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    expires_at: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    good_at: orm.Mapped[int | None] = orm.mapped_column(sa.BigInteger)
    report: orm.Mapped[str | None] = orm.mapped_column(Said)


class DeviceContextEvent(Base):
    """What has happened to a device context, which may be gone since.

    ``owner_id`` is the project that the device context is in; ``user_id`` and
    ``project_id`` are of who did it, and NULL if a service did by itself.
    ``action`` is one of :class:`actions.Action`, ``outcome`` one of
    :class:`actions.Outcome`.
    """

    __tablename__ = 'device_context_events'
    __table_args__ = (
        sa.Index(
            'ix_device_context_events_context_uuid_id', 'context_uuid', 'id'
        ),
        sa.Index('ix_device_context_events_owner_id_id', 'owner_id', 'id'),
    )

    id: orm.Mapped[int] = orm.mapped_column(
        sa.BigInteger().with_variant(sa.Integer, 'sqlite'), primary_key=True
    )
    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True)
    context_uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    owner_id: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    action: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    outcome: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    server_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(36))
    host: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    message: orm.Mapped[str | None] = orm.mapped_column(Said)
    user_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    project_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    request_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(index=True)


class MetricCount(Base):
    """How often something has happened in the cloud, and how long it took.

    See :mod:`nova_cyborg.db.metrics.counts`.
    """

    __tablename__ = 'metric_counts'

    name: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    label: orm.Mapped[str] = orm.mapped_column(sa.String(96), primary_key=True)
    times: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    seconds: orm.Mapped[float] = orm.mapped_column(sa.Double)


class IdempotencyKey(Base):
    """What was made with a key: see :mod:`nova_cyborg.db.repeated.keys`.

    ``digest`` stands for the project and the key, ``fingerprint`` for what
    was asked for. ``context_uuids`` is a list in JSON; the device contexts
    may be gone.
    """

    __tablename__ = 'idempotency_keys'

    digest: orm.Mapped[str] = orm.mapped_column(
        sa.String(64), primary_key=True
    )
    project_id: orm.Mapped[str] = orm.mapped_column(sa.String(255), index=True)
    fingerprint: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    context_uuids: orm.Mapped[str] = orm.mapped_column(sa.Text)
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        default=timeutils.utcnow, index=True
    )
