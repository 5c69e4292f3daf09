# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_contexts``: what project members work with."""

import collections.abc
import typing as ty

import pecan
from cyborg import objects
from cyborg.common import exception as cyborg_exception
from cyborg.conf import CONF
from oslo_utils import strutils, uuidutils
from pecan import rest

from nova_cyborg import exception, language, model
from nova_cyborg.api.controllers import handler, views
from nova_cyborg.api.controllers.answers import (
    device_context_limits,
    explanations,
)
from nova_cyborg.api.policies import device_context as policies
from nova_cyborg.api.schemas import device_context as schemas
from nova_cyborg.api.schemas import explanation
from nova_cyborg.db import contexts, pages
from nova_cyborg.lifecycle import heal, nova
from nova_cyborg.lifecycle.explaining import options

#: The most device contexts in one page, and the number if none is asked for.
MAX_LIMIT = 1000

# What an update can change, too.
_PLAIN = (
    'name',
    'description',
    'delete_on_termination',
    'live_migration',
    'tag',
)
_GROUP_FIELDS = ('resources', 'required', 'forbidden', 'config', 'tolerated')


class DeviceContextsController(rest.RestController):
    """Device contexts of the request's project."""

    _custom_actions: ty.ClassVar = {'explain': ['POST']}

    @handler.handle(policies.CREATE, status=201)
    def post(self) -> dict[str, ty.Any]:
        """Create a device context."""
        body = handler.read_body(schemas.CREATE)
        field, groups, profile_id = _requested_groups(body)
        language.check_accelerator_count(
            groups, field, CONF.nova_cyborg.max_accelerators_per_server
        )
        fields: dict[str, ty.Any] = {
            name: body[name] for name in _PLAIN if name in body
        }
        context = contexts.create(
            handler.request_context(),
            groups,
            profile_id,
            fields,
            CONF.nova_cyborg.max_contexts_per_project,
            device_context_limits.of_project(),
        )
        shown = views.as_dict(context)
        pecan.response.headers['Location'] = shown['links'][0]['href']
        # Devices may come: no reason to refuse it.
        found = options.warnings(handler.request_context(), groups)
        return {**shown, 'warnings': found}

    @handler.handle(policies.GET_ALL)
    def get_all(self) -> bytes:
        """List device contexts, a page at a time."""
        query = handler.read_query(schemas.LIST)
        fields = views.chosen(query)
        project_id = handler.request_context().project_id
        if strutils.bool_from_string(query.get('all_projects')):
            handler.authorize(policies.GET_ALL_PROJECTS)
            project_id = None
        page = pages.Page(
            limit=min(int(query.get('limit', MAX_LIMIT)), MAX_LIMIT),
            size=views.MAX_SIZE,
            with_groups='groups' in fields,
            marker=_canonical(query, 'marker'),
            sort_key=query.get('sort_key', 'created_at'),
            sort_dir=query.get('sort_dir', 'asc'),
        )
        filters = pages.Filters(
            project_id=project_id,
            name=query.get('name'),
            server_id=_canonical(query, 'server_id'),
            status=query.get('status'),
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

    @handler.handle(policies.GET_ONE)
    def get_one(self, uuid: str) -> dict[str, ty.Any]:
        """Show a device context."""
        fields = views.chosen(handler.read_query(schemas.SHOW))
        context = contexts.get(
            handler.request_context(), _known(uuid), _visible_project()
        )
        return views.as_dict(context, fields)

    @handler.handle(policies.UPDATE)
    def patch(self, uuid: str) -> dict[str, ty.Any]:
        """Change a device context's own fields."""
        uuid = _known(uuid)
        fields = handler.read_body(schemas.UPDATE)
        return views.as_dict(
            contexts.update(
                handler.request_context(), uuid, _visible_project(), fields
            )
        )

    @handler.handle(policies.DELETE, status=204)
    def delete(self, uuid: str) -> None:
        """Delete a device context that no server holds."""
        uuid, project_id = _known(uuid), _visible_project()
        context = handler.request_context()
        heal.contexts_in_use(
            nova.Nova(), lambda: contexts.delete(context, uuid, project_id)
        )

    @handler.handle(policies.EXPLAIN)
    def explain(self, uuid: str | None = None) -> dict[str, ty.Any]:
        """Say why no host has what a device context asks for.

        Or what one would ask for that is not made. Nothing is changed.
        """
        if uuid is None:
            body = handler.read_body(explanation.OF_GROUPS)
            _field, groups, _profile_id = _requested_groups(body)
            return explanations.answer(explanations.new(groups), body)
        found = contexts.get(
            handler.request_context(), _known(uuid), _visible_project()
        )
        body = handler.read_body(explanation.OF_CONTEXT)
        return explanations.answer(found, body)


def _requested_groups(
    body: collections.abc.Mapping[str, ty.Any],
) -> tuple[str, tuple[model.Group, ...], str | None]:
    """Return the field that says what is asked for, and what that is."""
    short = {name: body[name] for name in _GROUP_FIELDS if name in body}
    given = [
        name
        for name, there in (
            ('groups', 'groups' in body),
            (next(iter(short), ''), bool(short)),
            ('device_profile', 'device_profile' in body),
        )
        if there
    ]
    if len(given) > 1:
        raise exception.InvalidRequest(
            field=given[-1],
            reason=f'it cannot be given together with {given[0]}.',
        )
    if 'device_profile' in body:
        return 'device_profile', *_profile_groups(body['device_profile'])
    if 'groups' in body:
        return 'groups', language.parse_groups(body['groups']), None
    groups = (language.parse_group(short),)
    language.check_stored_size(groups, 'body')
    return 'resources', groups, None


def _profile_groups(
    name_or_id: str,
) -> tuple[tuple[model.Group, ...], str]:
    """Copy a profile's groups: later changes of it do not reach here."""
    get = objects.DeviceProfile.get_by_name
    if uuidutils.is_uuid_like(name_or_id):
        get = objects.DeviceProfile.get_by_uuid
    if name_or_id.startswith(model.PROFILE_PREFIX):
        raise exception.DeviceProfileNotFound(id=name_or_id)
    try:
        profile = get(handler.request_context(), name_or_id)
    except cyborg_exception.ResourceNotFound as exc:
        raise exception.DeviceProfileNotFound(id=name_or_id) from exc
    if profile.name.startswith(model.PROFILE_PREFIX):
        raise exception.DeviceProfileNotFound(id=name_or_id)
    groups = language.groups_from_profile(profile.groups, profile.name)
    return groups, profile.uuid


def _canonical(
    query: collections.abc.Mapping[str, str], field: str
) -> str | None:
    return handler.canonical(query[field]) if field in query else None


def _known(uuid: str) -> str:
    return handler.canonical_uuid(
        uuid, exception.DeviceContextNotFound(id=uuid)
    )


def _visible_project() -> str | None:
    context = handler.request_context()
    return None if context.is_admin else context.project_id
