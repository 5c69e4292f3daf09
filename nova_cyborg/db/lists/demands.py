# SPDX-License-Identifier: Apache-2.0

"""What device contexts ask for, by name, so that lists find them by it.

The groups themselves are a text, which no index helps to look into.
"""

import collections.abc
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import expressions, session, tables

#: Kinds of names: resource classes, and traits that are required.
CLASS = 'class'
TRAIT = 'trait'

#: A kind, and the name in Placement.
Demand: ty.TypeAlias = tuple[str, str]

_PORTION = 100
_Groups = collections.abc.Iterable[model.Choice]


def record(
    db: orm.Session,
    groups: collections.abc.Mapping[str, _Groups],
) -> None:
    """Record what device contexts ask for, with one statement.

    :param db: the transaction's session.
    :param groups: the groups of each, by its UUID; nothing is recorded yet.
    """
    found = [
        {'context_uuid': uuid, 'kind': kind, 'name': name}
        for uuid, asked in groups.items()
        for kind, name in sorted(_names(asked))
    ]
    if found:
        db.execute(sa.insert(tables.DeviceContextDemand), found)


@session.retry
def record_some(context: cyborg_context.RequestContext) -> bool:
    """Record what some of those ask for of which nothing is recorded.

    While an upgrade goes on, a cyborg-api of the release before makes device
    contexts, and records nothing. At other times it is one statement.

    :returns: whether there were any, and may be more.
    """
    row = tables.DeviceContext
    query = sa.select(row.uuid, row.groups).where(
        row.demands_recorded.is_(False)
    )
    found = dict(session.rows(context, query.order_by(row.id).limit(_PORTION)))
    if not found:
        return False
    loaded = {uuid: session.load_groups(text) for uuid, text in found.items()}
    with session.writing(context) as db:
        # Of two that do this at once, one meets rows of the other, and looks
        # again.
        record(db, loaded)
        db.execute(
            sa.update(row)
            .where(row.uuid.in_(found))
            # Of the device context itself nothing is changed.
            .values(demands_recorded=True, updated_at=row.updated_at),
            execution_options={'synchronize_session': False},
        )
    return True


def unrecorded(
    db: orm.Session,
    project_id: str | None,
    wanted: collections.abc.Set[Demand],
) -> frozenset[int]:
    """Find those that ask for names, and of which that is not recorded.

    By a look at the groups of each: who reads is not to write.

    :param db: the transaction's session.
    :param project_id: the project that they are in; None for any.
    :param wanted: the names, at least one.
    :returns: the row ids of those that ask for all of them.
    """
    row = tables.DeviceContext
    query = sa.select(row.id, row.groups).where(
        row.demands_recorded.is_(False),
        # Others are not read at all.
        *(row.groups.contains(f'"{name}"') for _kind, name in wanted),
    )
    if project_id is not None:
        # There are few of which it is not recorded, and many of a project.
        of_project = expressions.unindexed(row.project_id) == project_id
        query = query.where(of_project)
    query = query.order_by(row.id).limit(_PORTION)
    found: set[int] = set()
    last = 0
    while portion := db.execute(query.where(row.id > last)).all():
        found.update(
            row_id
            for row_id, text in portion
            if wanted <= _names(session.load_groups(text))
        )
        last = portion[-1][0]
    return frozenset(found)


def asked_for(kind: str, name: str) -> sa.ColumnElement[bool]:
    """Say of a device context that one of its groups asks for a name.

    :param kind: one of the kinds of names.
    :param name: the name in Placement.
    :returns: the condition, for those of which it is recorded.
    """
    demand = tables.DeviceContextDemand
    return (
        sa.select(demand.name)
        .where(
            demand.context_uuid == tables.DeviceContext.uuid,
            demand.kind == kind,
            demand.name == name,
        )
        .exists()
    )


def _names(groups: _Groups) -> set[Demand]:
    found: set[Demand] = set()
    for group in (each for choice in groups for each in choice.alternatives):
        found.update((CLASS, name) for name, _amount in group.resources)
        found.update((TRAIT, name) for name in group.required)
    return found
