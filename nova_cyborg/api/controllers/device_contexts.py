# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_contexts``: what project members work with."""

import collections.abc
import typing as ty

import pecan
from cyborg.conf import CONF
from oslo_utils import strutils
from pecan import rest

from nova_cyborg import model
from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.controllers.answers import (
    device_context_limits,
    explanations,
)
from nova_cyborg.api.controllers.lists import requested, tags, wanted
from nova_cyborg.api.controllers.parts import events
from nova_cyborg.api.policies import device_context as policies
from nova_cyborg.api.policies import device_context_option as option_policies
from nova_cyborg.api.schemas import device_context as schemas
from nova_cyborg.api.schemas import explanation
from nova_cyborg.db import contexts, pages
from nova_cyborg.lifecycle import heal, nova
from nova_cyborg.lifecycle.explaining import options

#: The most device contexts in one page, and the number if none is asked for.
MAX_LIMIT = 1000


class DeviceContextsController(rest.RestController):
    """Device contexts of the request's project."""

    _custom_actions: ty.ClassVar = {'explain': ['POST']}
    tags = tags.TagsController()
    events = events.EventsController()

    @handler.handle(policies.CREATE, status=201)
    def post(self) -> dict[str, ty.Any]:
        """Create a device context, or several."""
        body = handler.read_body(
            schemas.CREATE, (requested.SEVERAL, schemas.CREATE_SEVERAL)
        )
        key = handler.idempotency_key(body)
        # Before anything is looked at that may be another one by now.
        made = key and contexts.made_with(handler.request_context(), key)
        made = made or contexts.create(
            handler.request_context(),
            requested.read(body),
            CONF.nova_cyborg.max_contexts_per_project,
            device_context_limits.of_project(),
            key,
        )
        shown = [views.as_dict(each, views.FIELDS) for each in made]
        # Devices may come: no reason to refuse it.
        found = _warnings(made)
        if requested.SEVERAL in body:
            return {requested.SEVERAL: shown, 'warnings': found}
        handler.show_revision(made[0].revision)
        pecan.response.headers['Location'] = shown[0]['links'][0]['href']
        return {**shown[0], 'warnings': found}

    @handler.handle(policies.GET_ALL, query=schemas.LIST)
    def get_all(self) -> bytes:
        """List device contexts, a page at a time."""
        query = handler.read_query()
        fields = views.chosen(query)
        project_id = handler.request_context().project_id
        if strutils.bool_from_string(query.get('all_projects')):
            handler.authorize(policies.GET_ALL_PROJECTS)
            project_id = None
        page = pages.Page(
            limit=min(int(query.get('limit', MAX_LIMIT)), MAX_LIMIT),
            size=views.MAX_SIZE,
            with_groups='groups' in fields,
            with_tags='tags' in fields,
            marker=_canonical(query, 'marker'),
            sort=wanted.sort(query),
        )
        filters = pages.Filters(
            project_id=project_id,
            name=query.get('name'),
            server_id=_canonical(query, 'server_id'),
            status=query.get('status'),
            tag=query.get('tag'),
            more=wanted.filters(query),
        )
        context = handler.request_context()
        part = pages.find(context, filters, page)
        with views.turn(part.size):
            found = pages.read(context, part, page)
            shown = views.encoded(found, fields)
        last = shown and found[len(shown) - 1].uuid
        is_short = part.cut or len(shown) < len(found)
        if last and (is_short or len(shown) == page.limit):
            return views.page(shown, views.next_link(query, last))
        return views.page(shown)

    @handler.handle(policies.GET_ONE, query=schemas.SHOW)
    def get_one(self, uuid: str) -> dict[str, ty.Any]:
        """Show a device context."""
        fields = views.chosen(handler.read_query())
        context = contexts.get(
            handler.request_context(),
            handler.context_id(uuid),
            handler.visible_project(),
        )
        return _shown(context, fields)

    @handler.handle(policies.UPDATE, if_match=True)
    def patch(self, uuid: str) -> dict[str, ty.Any]:
        """Change a device context's own fields."""
        context = contexts.update(
            handler.request_context(),
            handler.context_id(uuid),
            handler.visible_project(),
            handler.read_body(schemas.UPDATE),
            handler.wanted_revisions(),
        )
        return _shown(context)

    @handler.handle(policies.DELETE, status=204, if_match=True)
    def delete(self, uuid: str) -> None:
        """Delete a device context that no server holds."""
        uuid, project_id = handler.context_id(uuid), handler.visible_project()
        context = handler.request_context()
        revisions = handler.wanted_revisions()
        heal.contexts_in_use(
            nova.Nova(),
            lambda: contexts.delete(context, uuid, project_id, revisions),
        )

    @handler.handle(policies.EXPLAIN)
    def explain(self, uuid: str | None = None) -> dict[str, ty.Any]:
        """Say why no host has what a device context asks for.

        Or what one would ask for that is not made. Nothing is changed.
        """
        if uuid is None:
            body = handler.read_body(explanation.OF_GROUPS)
            _field, groups, _profile_id = requested.groups_of(body)
            return explanations.answer(explanations.new(groups), body)
        body = handler.read_body(explanation.OF_CONTEXT)
        found = contexts.get(
            handler.request_context(),
            handler.context_id(uuid),
            handler.visible_project(),
        )
        return explanations.answer(found, body)


def _warnings(
    made: collections.abc.Iterable[model.DeviceContext],
) -> list[str]:
    """Say what no device has, to those who may know what devices there are."""
    if not handler.is_allowed(option_policies.GET_ALL):
        return []
    return options.warnings(
        handler.request_context(),
        [
            group
            for each in made
            for choice in each.groups
            for group in choice.alternatives
        ],
    )


def _shown(
    context: model.DeviceContext,
    fields: collections.abc.Sequence[str] = views.FIELDS,
) -> dict[str, ty.Any]:
    handler.show_revision(context.revision)
    return views.as_dict(context, fields)


def _canonical(
    query: collections.abc.Mapping[str, str], field: str
) -> str | None:
    return handler.canonical(query[field]) if field in query else None
