# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_contexts/{uuid}/tags``: what device contexts are found by.

Not their device tags, by which guests find devices.
"""

import typing as ty
import urllib.parse

import pecan
from pecan import hooks, rest

from nova_cyborg import exception
from nova_cyborg.api import schemas
from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.policies import device_context_tag as policies
from nova_cyborg.api.schemas import lists
from nova_cyborg.db.lists import tags


class WholeTags(hooks.PecanHook):
    """Has pecan leave tags as they are.

    It would take what follows a full stop for the form of the answer.
    """

    def on_route(self, state: ty.Any) -> None:
        """Look at a request before its controller is looked for."""
        path = state.request.path_info
        if '/device_contexts/' in path and '/tags/' in path:
            state.request.pecan['content_type'] = 'application/json'


class TagsController(rest.RestController):
    """The tags of a device context."""

    @handler.handle(policies.GET)
    def get_all(self, uuid: str) -> dict[str, ty.Any]:
        """List the tags."""
        found, revision = _of(handler.context_id(uuid))
        handler.show_revision(revision)
        return {'tags': list(found)}

    @handler.handle(policies.GET, status=204)
    def get_one(self, uuid: str, tag: str) -> None:
        """Tell whether the device context has a tag."""
        uuid = handler.context_id(uuid)
        found, revision = _of(uuid)
        if tag not in found:
            raise exception.ContextTagNotFound(id=uuid, tag=tag)
        handler.show_revision(revision)

    @handler.handle(policies.UPDATE, if_match=True)
    def put(self, uuid: str, *parts: str) -> dict[str, ty.Any] | None:
        """Give the device context other tags, or one more."""
        uuid = handler.context_id(uuid)
        which = handler.request_context(), uuid, handler.visible_project()
        revisions = handler.wanted_revisions()
        tag = _tag(parts)
        if tag is None:
            body = handler.read_body(lists.TAGS)
            revision = tags.replace(*which, body['tags'], revisions)
            handler.show_revision(revision)
            return {'tags': sorted(set(body['tags']))}
        schemas.validate({'tag': tag}, lists.TAG)
        revision, is_new = tags.add(*which, tag, revisions)
        handler.show_revision(revision)
        pecan.response.status = 201 if is_new else 204
        if is_new:
            url = views.url('device_contexts', uuid)
            pecan.response.headers['Location'] = (
                f'{url}/tags/{urllib.parse.quote(tag)}'
            )
        return None

    @handler.handle(policies.UPDATE, status=204, if_match=True)
    def delete(self, uuid: str, *parts: str) -> None:
        """Take all tags, or one, from the device context."""
        uuid = handler.context_id(uuid)
        which = handler.request_context(), uuid, handler.visible_project()
        revisions = handler.wanted_revisions()
        tag = _tag(parts)
        if tag is None:
            revision = tags.replace(*which, (), revisions)
        else:
            revision = tags.remove(*which, tag, revisions)
        handler.show_revision(revision)


def _of(uuid: str) -> tuple[tuple[str, ...], int]:
    return tags.get(handler.request_context(), uuid, handler.visible_project())


def _tag(parts: tuple[str, ...]) -> str | None:
    if len(parts) > 1:
        pecan.abort(404)
    # A path may end with a slash.
    return parts[0] if any(parts) else None
