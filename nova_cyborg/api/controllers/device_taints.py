# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_taints``: why devices are given only to who tolerates that."""

import typing as ty

from pecan import rest

from nova_cyborg import exception, names
from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.policies import device_taint as policies
from nova_cyborg.api.schemas import device_taint as schemas
from nova_cyborg.db.inventory import taints
from nova_cyborg.lifecycle.inventory import tainting

#: The most taints in one page, and the number if none is asked for.
MAX_LIMIT = 1000

_COLLECTION = 'device_taints'


class DeviceTaintsController(rest.RestController):
    """The taints of all devices."""

    @handler.handle(policies.CREATE, status=201)
    def post(self) -> dict[str, ty.Any]:
        """Taint a device."""
        body = handler.read_body(schemas.CREATE)
        key = names.taint_key(body['key'], 'key')
        if key == taints.UNHEALTHY:
            raise names.invalid(
                'key', f'{key} is for what the agents of hosts say.'
            )
        device_id = handler.canonical(body['device_uuid'])
        taint = taints.new(device_id, key, body['reason'], taints.OPERATOR)
        tainting.begin(handler.request_context(), taint)
        return _as_dict(taint)

    @handler.handle(policies.GET_ONE)
    def get_one(self, uuid: str) -> dict[str, ty.Any]:
        """Show a taint."""
        return _as_dict(_known(uuid))

    @handler.handle(policies.GET_ALL, query=schemas.LIST)
    def get_all(self) -> dict[str, ty.Any]:
        """List taints, of one device or of all."""
        query = handler.read_query()
        limit = min(int(query.get('limit', MAX_LIMIT)), MAX_LIMIT)
        device_id = query.get('device_uuid')
        after = _known(query['marker']) if 'marker' in query else None
        found = taints.of_devices(
            handler.request_context(),
            handler.canonical(device_id) if device_id else None,
            after,
            limit + 1,
        )
        page: dict[str, ty.Any] = {
            _COLLECTION: [_as_dict(taint) for taint in found[:limit]]
        }
        if 0 < limit < len(found):
            link = views.next_link(query, found[limit - 1].uuid, _COLLECTION)
            page[f'{_COLLECTION}_links'] = [link]
        return page

    @handler.handle(policies.DELETE, status=204)
    def delete(self, uuid: str) -> None:
        """Delete a taint: servers get the device again."""
        taint = _known(uuid)
        if taint.source == taints.AGENT:
            raise exception.DeviceTaintReported(
                device_id=taint.device_id, key=taint.key
            )
        tainting.end(handler.request_context(), taint)


def _known(uuid: str) -> taints.Taint:
    known = handler.canonical_uuid(
        uuid, exception.DeviceTaintNotFound(id=uuid)
    )
    return taints.get(handler.request_context(), known)


def _as_dict(taint: taints.Taint) -> dict[str, ty.Any]:
    return {
        'uuid': taint.uuid,
        'device_uuid': taint.device_id,
        'key': taint.key,
        'reason': taint.reason,
        'source': taint.source,
        'created_at': views.time(taint.created_at),
        'links': [{'rel': 'self', 'href': views.url(_COLLECTION, taint.uuid)}],
    }
