# SPDX-License-Identifier: Apache-2.0

"""ARQs as they are shown, however many they are with one statement.

Stock Cyborg reads all that there are, and of each its profile, its attach
handle and its deployable.
"""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import outages

# Of Cyborg's object of an ARQ, what is in its row.
_OWN = (
    'id',
    'uuid',
    'state',
    'device_profile_group_id',
    'hostname',
    'device_rp_uuid',
    'instance_uuid',
    'project_id',
    'created_at',
    'updated_at',
)
# What Cyborg shows of the handle of an ARQ that is not bound.
_NO_HANDLE: dict[str, str | None] = {
    'attach_handle_type': '',
    'attach_handle_info': '',
    'attach_handle_uuid': None,
}


@dataclasses.dataclass(frozen=True)
class Arq:
    """An ARQ, as the API shows it.

    What stock Cyborg does not know is said of one that is bound.

    :ivar fields: what Cyborg's own object of it is made of, by name.
    :ivar missing: whether its host does not report its slot any more, or it
        has none.
    :ivar tag: the tag of its device context, if it has one.
    :ivar detaching: whether its device context is being detached.
    """

    fields: dict[str, ty.Any]
    missing: bool
    tag: str | None
    detaching: bool


@dataclasses.dataclass(frozen=True)
class _Found:
    """An ARQ, and of which binding of a device context it is.

    :ivar is_linked: whether it is of one.
    """

    arq: Arq
    is_linked: bool
    migration_id: str | None
    is_active: bool

    def is_of(self, migration_id: str | None) -> bool:
        """Tell whether it is of a migration's binding, or the active one."""
        if migration_id:
            return self.migration_id == migration_id
        return self.is_active


def every(
    context: cyborg_context.RequestContext, project_id: str | None
) -> list[Arq]:
    """Read all ARQs.

    :param project_id: the project that they must belong to; None for any.
    :returns: the ARQs.
    """
    return [each.arq for each in _read(context, *_of_project(project_id))]


def get(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> Arq | None:
    """Read an ARQ.

    :param uuid: its UUID.
    :param project_id: the project that it must belong to; None for any.
    :returns: the ARQ; None if there is none in the project.
    """
    which = (models.ExtArq.uuid == uuid, *_of_project(project_id))
    return next((each.arq for each in _read(context, *which)), None)


def to_nova(
    context: cyborg_context.RequestContext,
    server_id: str,
    project_id: str | None,
    migration_id: str | None = None,
) -> list[Arq]:
    """Read the ARQs of a server, as Nova is to see them.

    Those of one of its bindings, and those of profiles, which are on the
    nodes of its bindings as well.

    :param server_id: UUID of the server.
    :param project_id: the project that they must belong to; None for any.
    :param migration_id: UUID of the migration that has made the binding; None
        for the active one.
    :returns: the ARQs.
    """
    found = _read(context, models.ExtArq.instance_uuid == server_id)
    chosen_nodes, other_nodes = (
        {
            each.arq.fields['hostname']
            for each in found
            if each.is_linked and each.is_of(migration_id) is is_chosen
        }
        for is_chosen in (True, False)
    )
    hidden_nodes = other_nodes - chosen_nodes
    return [
        each.arq
        for each in found
        if project_id in (None, each.arq.fields['project_id'])
        and (
            each.is_of(migration_id)
            if each.is_linked
            else each.arq.fields['hostname'] not in hidden_nodes
        )
    ]


def _of_project(
    project_id: str | None,
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    if project_id is not None:
        yield models.ExtArq.project_id == project_id


def _read(
    context: cyborg_context.RequestContext,
    *conditions: sa.ColumnElement[bool],
) -> list[_Found]:
    arq, handle, profile = (
        models.ExtArq,
        models.AttachHandle,
        models.DeviceProfile,
    )
    link, held = tables.DeviceContextArq, tables.DeviceContext
    binding = tables.DeviceBinding
    query = (
        sa.select(
            *(getattr(arq, name) for name in _OWN),
            profile.name.label('device_profile_name'),
            handle.attach_type.label('attach_handle_type'),
            handle.attach_info.label('attach_handle_info'),
            handle.uuid.label('attach_handle_uuid'),
            outages.IS_MISSING.label('missing'),
            held.tag.label('tag'),
            held.transition.label('transition'),
            link.binding_id.label('binding_id'),
            binding.migration_id.label('migration_id'),
            binding.active_of.label('active_of'),
        )
        .join(profile, profile.id == arq.device_profile_id)
        .outerjoin(handle, handle.id == arq.attach_handle_id)
        .outerjoin(link, link.arq_uuid == arq.uuid)
        .outerjoin(held, held.id == link.device_context_id)
        .outerjoin(binding, binding.id == link.binding_id)
        .where(*conditions)
        .order_by(arq.id)
    )
    with session.reading(context) as db:
        return [_found(dict(row)) for row in db.execute(query).mappings()]


def _found(row: dict[str, ty.Any]) -> _Found:
    missing, tag, transition, binding_id, migration_id, active_of = (
        row.pop(name)
        for name in (
            'missing',
            'tag',
            'transition',
            'binding_id',
            'migration_id',
            'active_of',
        )
    )
    is_bound = row['state'] == constants.ARQ_BOUND
    has_handle = row['attach_handle_uuid'] is not None
    if not (is_bound and has_handle):
        # One that is being bound may have a handle already, of which nobody
        # is told yet. One that has lost its own does not exist, to Cyborg.
        row |= _NO_HANDLE
    arq = Arq(
        row,
        is_bound and (bool(missing) or not has_handle),
        tag if is_bound else None,
        is_bound and transition == model.Transition.DETACHING,
    )
    return _Found(
        arq, binding_id is not None, migration_id, active_of is not None
    )
