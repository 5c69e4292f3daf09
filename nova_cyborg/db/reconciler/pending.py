# SPDX-License-Identifier: Apache-2.0

"""ARQs of device contexts whose binding was begun, and not finished.

The row is what is to be done: who has begun it may have died since. Each
change is made only if the row is as it was seen.
"""

import dataclasses
import datetime
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg.db import session, tables
from nova_cyborg.db.bindings import attempts, making

_ARQ = models.ExtArq


@dataclasses.dataclass(frozen=True)
class Arq:
    """An accelerator request that is not bound.

    :ivar uuid: its UUID.
    :ivar provider: UUID of the resource provider of its device.
    :ivar state: its state.
    :ivar handle_id: row id of its attach handle, if it has got one.
    :ivar changed_at: when it was changed.
    :ivar is_programmed: whether something is written to its device, which may
        take minutes.
    """

    uuid: str
    provider: str
    state: str
    handle_id: int | None
    changed_at: datetime.datetime
    is_programmed: bool


@dataclasses.dataclass(frozen=True)
class Binding:
    """A binding that is not finished.

    Two that are equal are one that has not changed in between.

    :ivar server_id: UUID of the server.
    :ivar project_id: whose device contexts it is for.
    :ivar generation: that of the server's last attempt, which has begun it.
    :ivar node: the node.
    :ivar arqs: those of its ARQs that are not bound.
    """

    server_id: str
    project_id: str
    generation: int
    node: str
    arqs: tuple[Arq, ...]

    @property
    def is_started(self) -> bool:
        """Whether a cyborg-conductor may be at it."""
        return any(
            arq.state == constants.ARQ_BIND_STARTED and arq.handle_id is None
            for arq in self.arqs
        )

    def as_attempt(self, arqs: ty.Iterable[Arq]) -> attempts.Binding:
        """Return what is to be bound.

        :param arqs: some of its ARQs.
        """
        return attempts.Binding(
            self.generation,
            self.project_id,
            self.node,
            [
                {'uuid': arq.uuid, 'device_rp_uuid': arq.provider}
                for arq in arqs
            ],
        )


def find(context: cyborg_context.RequestContext) -> list[Binding]:
    """Find bindings of last attempts that are not finished.

    Not those of device contexts that are being attached: whoever attaches
    one asks.

    :returns: the bindings.
    """
    allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
    link, held = tables.DeviceContextArq, tables.DeviceContext
    profile = models.DeviceProfile
    query = (
        sa.select(
            binding.id,
            allocation.server_id,
            allocation.project_id,
            allocation.generation,
            binding.node,
            _ARQ.uuid,
            _ARQ.device_rp_uuid,
            _ARQ.state,
            _ARQ.attach_handle_id,
            sa.func.coalesce(_ARQ.updated_at, _ARQ.created_at),
            profile.profile_json,
            _ARQ.device_profile_group_id,
        )
        .join(link, link.arq_uuid == _ARQ.uuid)
        .join(held, held.id == link.device_context_id)
        .join(binding, binding.id == link.binding_id)
        .join(allocation, allocation.id == binding.allocation_id)
        .join(profile, profile.id == _ARQ.device_profile_id)
        .where(
            _ARQ.state.in_(
                (constants.ARQ_INITIAL, constants.ARQ_BIND_STARTED)
            ),
            binding.generation == allocation.generation,
            held.transition.is_(None),
        )
        .order_by(_ARQ.id)
    )
    found: dict[int, Binding] = {}
    for row in session.rows(context, query):
        binding_id, server_id, project_id, generation, node = row[:5]
        arq_id, provider, state, handle_id, changed_at = row[5:10]
        group = json.loads(row[10])['groups'][row[11]]
        one = Arq(
            arq_id,
            provider,
            state,
            handle_id,
            changed_at,
            making.is_programmed(group),
        )
        known = found.get(
            binding_id, Binding(server_id, project_id, generation, node, ())
        )
        found[binding_id] = dataclasses.replace(known, arqs=(*known.arqs, one))
    return list(found.values())


@session.retry
def claim(context: cyborg_context.RequestContext, binding: Binding) -> bool:
    """Claim a binding, to finish it; what has its slot is bound by that.

    :param binding: the binding, as it was seen.
    :returns: whether it was so, all of it; else nothing is changed.
    """
    with session.writing(context) as db:
        for arq in binding.arqs:
            has_slot = arq.handle_id is not None
            done: ty.Any = db.execute(
                sa.update(_ARQ)
                .where(
                    _ARQ.uuid == arq.uuid,
                    _ARQ.state == arq.state,
                    _has_handle(arq.handle_id),
                    sa.func.coalesce(_ARQ.updated_at, _ARQ.created_at)
                    == arq.changed_at,
                )
                .values(
                    state=(
                        constants.ARQ_BOUND
                        if has_slot
                        else constants.ARQ_INITIAL
                    ),
                    updated_at=timeutils.utcnow(),
                ),
                execution_options={'synchronize_session': False},
            )
            if not done.rowcount:
                db.rollback()
                return False
    return True


@session.retry
def start(
    context: cyborg_context.RequestContext,
    arq_id: str,
    values: dict[str, ty.Any],
    states: ty.Collection[str],
) -> bool:
    """Start to bind an ARQ; of two that do, one does.

    :param arq_id: UUID of the ARQ.
    :param values: what is changed of it.
    :param states: what its state may be.
    :returns: whether it was in one of them.
    """
    return _update(
        context, values, _ARQ.uuid == arq_id, _ARQ.state.in_(states)
    )


@session.retry
def give(
    context: cyborg_context.RequestContext, arq_id: str, handle_id: int
) -> bool:
    """Give a slot to an ARQ that is being bound; of two that do, one does.

    :param arq_id: UUID of the ARQ.
    :param handle_id: row id of the attach handle.
    :returns: whether it is being bound, and had none.
    """
    return _update(
        context,
        {'attach_handle_id': handle_id},
        _ARQ.uuid == arq_id,
        _ARQ.state == constants.ARQ_BIND_STARTED,
        _ARQ.attach_handle_id.is_(None),
    )


def _has_handle(handle_id: int | None) -> sa.ColumnElement[bool]:
    column = _ARQ.attach_handle_id
    found: sa.ColumnElement[bool] = (
        column.is_(None) if handle_id is None else column == handle_id
    )
    return found


def _update(
    context: cyborg_context.RequestContext,
    values: dict[str, ty.Any],
    *conditions: sa.ColumnElement[bool],
) -> bool:
    with session.writing(context) as db:
        done: ty.Any = db.execute(
            sa.update(_ARQ)
            .where(*conditions)
            .values(**values, updated_at=timeutils.utcnow()),
            execution_options={'synchronize_session': False},
        )
        return bool(done.rowcount)
