# SPDX-License-Identifier: Apache-2.0

"""Many servers that have what they should, stored in no time.

Each has a device context, which is bound to a slot of a device, by rows that
agree with each other.
"""

import collections.abc
import datetime
import json
import typing as ty
import uuid

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg import language, model
from nova_cyborg.db import session, tables
from tests.functional.api import cyborg

_GROUPS = language.parse_groups([{'resources': {'FPGA': 1}}])
#: When the first device context is made.
BEGIN = datetime.datetime(2026, 1, 1)
_SECOND = datetime.timedelta(seconds=1)

_Rows = collections.abc.Iterable[dict[str, ty.Any]]


def node(number: int) -> str:
    """Return the name of one of the nodes, which are numbered from 0 on."""
    return f'node{number}'


def servers(
    engine: sa.Engine,
    number: int,
    hosts: int = 1,
    settled: bool = False,
    **fields: ty.Any,
) -> list[str]:
    """Store servers with a bound device context each.

    :param engine: an engine on Cyborg's database.
    :param number: how many.
    :param hosts: on how many nodes they are, in turn.
    :param settled: whether Nova has said that nothing is done with them.
    :param fields: columns of the device contexts that are not the usual ones.
    :returns: the UUIDs of the servers.
    """
    ids = [_new_id() for _n in range(number)]
    with engine.begin() as db:
        first_handle = _store_slots(db, number, hosts)
        profile = _next_id(db, models.DeviceProfile)
        _insert(db, models.DeviceProfile, [_profile(profile)])
        first = _next_id(db, tables.DeviceAllocation)
        held = contexts_in(db, number, **fields)
        links = [
            {
                'arq_uuid': _new_id(),
                'device_context_id': held + each,
                'group_number': 0,
                'binding_id': first + each,
            }
            for each in range(number)
        ]
        now = timeutils.utcnow()
        _insert(
            db,
            tables.DeviceAllocation,
            (
                {
                    'id': first + each,
                    'server_id': server_id,
                    'project_id': cyborg.PROJECT,
                    'generation': 0,
                    'caller': cyborg.CALLER,
                    'settled_at': now if settled else None,
                    'created_at': now,
                }
                for each, server_id in enumerate(ids)
            ),
        )
        context = tables.DeviceContext
        db.execute(
            sa.update(context)
            .where(context.id >= held)
            .values(allocation_id=context.id + (first - held))
        )
        _insert(
            db,
            tables.DeviceBinding,
            (
                {
                    'id': first + each,
                    'allocation_id': first + each,
                    'node': node(each % hosts),
                    'generation': 0,
                    'state': model.BindingState.ACTIVE,
                    'active_of': first + each,
                }
                for each in range(number)
            ),
        )
        first_arq = _next_id(db, models.ExtArq)
        _insert(
            db,
            models.ExtArq,
            (
                {
                    'id': first_arq + each,
                    'uuid': link['arq_uuid'],
                    'project_id': cyborg.PROJECT,
                    'state': 'Bound',
                    'device_profile_id': profile,
                    'device_profile_group_id': 0,
                    'instance_uuid': ids[each],
                    'hostname': node(each % hosts),
                    'attach_handle_id': first_handle + each,
                    'created_at': now,
                }
                for each, link in enumerate(links)
            ),
        )
        _insert(db, tables.DeviceContextArq, links)
    return ids


def first_id(engine: sa.Engine) -> int:
    """Return the row id of the first device context that is stored next.

    :param engine: an engine on Cyborg's database.
    """
    with engine.connect() as db:
        return _next_id(db, tables.DeviceContext)


def contexts(engine: sa.Engine, number: int, **fields: ty.Any) -> None:
    """Store device contexts that no server holds.

    :param engine: an engine on Cyborg's database.
    :param number: how many.
    :param fields: columns that are not the usual ones.
    """
    with engine.begin() as db:
        contexts_in(db, number, **fields)


def contexts_in(db: sa.Connection, number: int, **fields: ty.Any) -> int:
    """See :func:`contexts`; in a transaction.

    :returns: the row id of the first of them.
    """
    first = _next_id(db, tables.DeviceContext)
    text = session.dump_groups(_GROUPS)
    usual = {
        'project_id': cyborg.PROJECT,
        'user_id': 'user',
        'groups': text,
        'groups_size': len(text),
        'demands_recorded': True,
        'delete_on_termination': True,
    }
    _insert(
        db,
        tables.DeviceContext,
        (
            {
                **usual,
                'id': first + each,
                'uuid': _new_id(),
                'name': f'n{first + each:06d}',
                'created_at': BEGIN + datetime.timedelta(seconds=first + each),
                **fields,
            }
            for each in range(number)
        ),
    )
    return first


def _profile(row_id: int) -> dict[str, ty.Any]:
    groups = [each.alternatives[0].as_profile_group() for each in _GROUPS]
    return {
        'id': row_id,
        'uuid': _new_id(),
        'name': f'crowd{row_id}',
        'profile_json': json.dumps({'groups': groups}),
    }


def _store_slots(db: sa.Connection, number: int, hosts: int) -> int:
    """Store a device for each host, and a slot of it for each server.

    :returns: the row id of the first attach handle.
    """
    device = _next_id(db, models.Device)
    path, deployable = (
        _next_id(db, table)
        for table in (models.ControlpathID, models.Deployable)
    )
    _insert(
        db,
        models.Device,
        (
            {
                'id': device + each,
                'uuid': _new_id(),
                'type': 'FPGA',
                'vendor': '8086',
                'model': 'test',
                'hostname': node(each),
            }
            for each in range(hosts)
        ),
    )
    _insert(
        db,
        models.ControlpathID,
        (
            {
                'id': path + each,
                'uuid': _new_id(),
                'device_id': device + each,
                'cpid_type': 'PCI',
                'cpid_info': '{}',
            }
            for each in range(hosts)
        ),
    )
    _insert(
        db,
        models.Deployable,
        (
            {
                'id': deployable + each,
                'uuid': _new_id(),
                'name': f'd{deployable + each}',
                'num_accelerators': number // hosts,
                'device_id': device + each,
                'rp_uuid': _new_id(),
            }
            for each in range(hosts)
        ),
    )
    first = _next_id(db, models.AttachHandle)
    _insert(
        db,
        models.AttachHandle,
        (
            {
                'id': first + each,
                'uuid': _new_id(),
                'deployable_id': deployable + each % hosts,
                'cpid_id': path + each % hosts,
                'in_use': True,
                'attach_type': 'PCI',
                'attach_info': json.dumps(_address(first + each)),
            }
            for each in range(number)
        ),
    )
    return first


def _address(number: int) -> dict[str, str]:
    """Return a PCI address, another one for each number."""
    return {
        'domain': f'{number >> 16:04x}',
        'bus': f'{number >> 8 & 0xFF:02x}',
        'device': f'{number >> 3 & 0x1F:02x}',
        'function': f'{number & 7}',
    }


def _new_id() -> str:
    return str(uuid.uuid4())


def _next_id(db: sa.Connection, table: ty.Any) -> int:
    return (db.scalar(sa.select(sa.func.max(table.id))) or 0) + 1


def _insert(db: sa.Connection, table: ty.Any, rows: _Rows) -> None:
    db.execute(sa.insert(table.__table__), list(rows))
    if db.dialect.name == 'postgresql' and hasattr(table, 'id'):
        # It counts by itself, and does not see what was given an id.
        sequence = sa.func.pg_get_serial_sequence(table.__tablename__, 'id')
        db.execute(sa.select(sa.func.setval(sequence, sa.func.max(table.id))))
