# SPDX-License-Identifier: Apache-2.0

"""Hidden device profiles, in Cyborg's own tables.

The ARQs of a device context belong to one, as each ARQ of Cyborg's does to a
device profile: one for each distinct set of groups. The API does not show
them.
"""

import collections.abc
import dataclasses
import json

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_utils import uuidutils
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session

#: Whether a device profile is a hidden one, as a condition for its row.
IS_HIDDEN = models.DeviceProfile.name.startswith(
    model.PROFILE_PREFIX, autoescape=True
)


@dataclasses.dataclass(frozen=True)
class Profile:
    """A device profile that is not hidden.

    :ivar groups: its groups in Cyborg's form.
    """

    uuid: str
    name: str
    groups: list[dict[str, str]]


def find(
    context: cyborg_context.RequestContext,
    names_or_ids: collections.abc.Sequence[str],
) -> dict[str, Profile]:
    """Find device profiles, with one statement.

    :param names_or_ids: their names, which are ASCII, or UUIDs, each with
        small letters; what looks like a UUID is no name.
    :returns: those that there are and are not hidden, by what they were
        looked for by.
    """
    row = models.DeviceProfile
    ids = list(filter(uuidutils.is_uuid_like, names_or_ids))
    named = sorted(set(names_or_ids).difference(ids))
    query = sa.select(row.uuid, row.name, row.profile_json).where(
        sa.or_(row.uuid.in_(ids), row.name.in_(named)), ~IS_HIDDEN
    )
    found: dict[str, Profile] = {}
    for uuid, name, text in session.rows(context, query):
        profile = Profile(uuid, name, json.loads(text)['groups'])
        found |= {uuid: profile, name: profile}
    # To a database, names that differ may be equal.
    return {key: found[key] for key in names_or_ids if key in found}


def make(
    db: orm.Session,
    wanted: collections.abc.Sequence[collections.abc.Sequence[model.Group]],
) -> list[int]:
    """Find the hidden profiles of sets of groups; make those that lack.

    With one statement, or with two.

    :param db: the transaction's session.
    :param wanted: what was chosen of the groups of each device context.
    :returns: the row id of the profile of each.
    """
    names = [model.profile_name(groups) for groups in wanted]
    by_name = dict(zip(names, wanted, strict=True))
    profile = models.DeviceProfile
    # Locked, so that none is found unused and removed before the ARQs that
    # are about to refer to it. Others who refer to it need not wait for that.
    found = db.execute(
        sa.select(profile.name, profile.id)
        .where(profile.name.in_(sorted(by_name)))
        .with_for_update(read=True)
    )
    row_ids = dict(row._tuple() for row in found)
    # In one order, so that those who make the same wait for each other.
    new = [
        _new(name, by_name[name])
        for name in sorted(by_name)
        if name not in row_ids
    ]
    db.add_all(new)
    db.flush()
    row_ids |= {each.name: each.id for each in new}
    return [row_ids[name] for name in names]


def _new(
    name: str, groups: collections.abc.Sequence[model.Group]
) -> models.DeviceProfile:
    return models.DeviceProfile(
        uuid=uuidutils.generate_uuid(),
        name=name,
        profile_json=json.dumps(
            {'groups': [group.as_profile_group() for group in groups]}
        ),
        description='Made by nova_cyborg for device contexts.',
    )


def groups_of(
    context: cyborg_context.RequestContext, name: str
) -> list[dict[str, str]] | None:
    """Read the groups of a device profile.

    :param name: its name.
    :returns: its groups in Cyborg's form; None if there is no such profile.
    """
    profile = models.DeviceProfile
    query = sa.select(profile.profile_json).where(profile.name == name)
    for (text,) in session.rows(context, query):
        found: list[dict[str, str]] = json.loads(text)['groups']
        return found
    return None


def remove_unused(
    db: orm.Session,
    contexts: collections.abc.Iterable[model.DeviceContext],
) -> None:
    """Remove hidden profiles that no ARQ belongs to any more.

    :param db: the transaction's session.
    :param contexts: the device contexts whose profiles are looked at.
    """
    profile, arq = models.DeviceProfile, models.ExtArq
    names = sorted(
        {
            model.profile_name(model.picked(each.groups, pick))
            for each in contexts
            # Which were chosen is not known any more.
            for pick in model.picks(each.groups)
        }
    )
    used = sa.select(arq.id).where(arq.device_profile_id == profile.id)
    db.execute(
        sa.delete(profile).where(profile.name.in_(names), ~used.exists()),
        execution_options={'synchronize_session': False},
    )


@session.retry
def remove_unused_of(
    context: cyborg_context.RequestContext,
    contexts: collections.abc.Iterable[model.DeviceContext],
) -> None:
    """See :func:`remove_unused`; in a transaction of its own.

    One that has removed ARQs does not wait for others that use the profile,
    which may wait for it.
    """
    with session.writing(context) as db:
        remove_unused(db, contexts)


def of_no_arq(context: cyborg_context.RequestContext) -> dict[str, int]:
    """Find hidden profiles without ARQs.

    :returns: row id by name of the profile.
    """
    profile, arq = models.DeviceProfile, models.ExtArq
    used = sa.select(arq.id).where(arq.device_profile_id == profile.id)
    query = sa.select(profile.name, profile.id).where(
        IS_HIDDEN, ~used.exists()
    )
    return dict(session.rows(context, query))


def remove(context: cyborg_context.RequestContext, row_id: int) -> None:
    """Remove a hidden profile, if still no ARQ belongs to it.

    :param row_id: its row id.
    """
    profile, arq = models.DeviceProfile, models.ExtArq
    used = sa.select(arq.id).where(arq.device_profile_id == profile.id)
    with session.writing(context) as db:
        db.execute(
            sa.delete(profile).where(profile.id == row_id, ~used.exists()),
            execution_options={'synchronize_session': False},
        )
