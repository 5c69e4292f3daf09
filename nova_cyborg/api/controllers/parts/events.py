# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_contexts/{uuid}/events``: what has become of it."""

import typing as ty

from pecan import rest

from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.policies import device_context_event as policies
from nova_cyborg.api.schemas import device_context_event as schemas
from nova_cyborg.db.events import bounds, recording, timeline

#: The most events in one page, and the number if none is asked for.
MAX_LIMIT = bounds.MOST

_COLLECTION = 'events'


class EventsController(rest.RestController):
    """The events of a device context, which may be gone since."""

    @handler.handle(policies.GET_ALL, query=schemas.LIST)
    def get_all(self, uuid: str) -> dict[str, ty.Any]:
        """List the events of a device context, a page at a time."""
        known = handler.context_id(uuid)
        query = handler.read_query()
        limit = min(int(query.get('limit', MAX_LIMIT)), MAX_LIMIT)
        marker = query.get('marker')
        page = timeline.Page(
            # One more says whether there is another page.
            limit + 1,
            handler.canonical(marker) if marker else None,
            query.get('sort_dir', 'desc') == 'desc',
        )
        found = timeline.read(
            handler.request_context(), known, handler.visible_project(), page
        )
        shown: dict[str, ty.Any] = {
            _COLLECTION: [_as_dict(each) for each in found[:limit]]
        }
        if 0 < limit < len(found):
            link = views.next_link(
                query,
                found[limit - 1].uuid,
                f'device_contexts/{known}/{_COLLECTION}',
            )
            shown[f'{_COLLECTION}_links'] = [link]
        return shown


def _as_dict(event: recording.Event) -> dict[str, ty.Any]:
    return {
        'uuid': event.uuid,
        'action': event.what.action,
        'outcome': event.what.outcome,
        'message': event.what.message,
        'server_id': event.what.server_id,
        'host': event.what.host,
        'user_id': event.user_id,
        'project_id': event.project_id,
        'request_id': event.request_id,
        'created_at': views.time(event.created_at),
    }
