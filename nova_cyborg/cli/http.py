# SPDX-License-Identifier: Apache-2.0

"""What a cloud's Accelerator service has of ours, over HTTP."""

import collections.abc
import typing as ty
from urllib import parse

from nova_cyborg import exception
from nova_cyborg.cli import errors, ids

#: A device context or a device taint, as the API has it.
Resource = dict[str, ty.Any]
Context: ty.TypeAlias = Resource

# Of device contexts of one name.
_MOST_NAMED = 10
_SEVERAL = (
    'Several device contexts have the name "%(name)s": %(ids)s. Say the UUID '
    'of the one that is meant.'
)


class _Collection:
    """Calls about resources of a kind.

    Each raises ``CommandError`` with a sentence if it fails.

    :cvar name: what the API calls them.
    :cvar missing: the error if there is none with an id.
    :param clients: osc-lib's client manager, or one like it: its attribute
        ``accelerator`` is an adapter of keystoneauth, as the proxies of
        openstacksdk are. osc-lib's gets the attribute from a plugin, so that
        its class says nothing of it.
    """

    name: ty.ClassVar[str]
    missing: ty.ClassVar[type[exception.DeviceContextError]]

    def __init__(self, clients: ty.Any) -> None:
        self._clients = clients

    @property
    def _path(self) -> str:
        # Relative to the endpoint, with or without /v2: Cyborg takes a path
        # without a version as one of v2.
        return f'/{self.name}'

    def create(self, body: collections.abc.Mapping[str, ty.Any]) -> Resource:
        """Make a resource.

        :param body: what the API takes.
        :returns: the new one.
        :raises CommandError: if the service refuses or does not answer.
        """
        made: Resource = self._call('POST', self._path, json=body)
        return made

    def list(
        self, query: collections.abc.Mapping[str, ty.Any]
    ) -> list[Resource]:
        """List resources.

        :param query: filters and paging. As many pages are read as a
            ``limit`` needs, otherwise all of them.
        :returns: the resources.
        :raises CommandError: if the service refuses or does not answer.
        """
        path: str | None = parse.urlunsplit(
            ('', '', self._path, parse.urlencode(query), '')
        )
        limit = query.get('limit')
        found: list[Resource] = []
        while path:
            page = self._call('GET', path)
            found += page[self.name]
            is_enough = limit is not None and len(found) >= limit
            path = None if is_enough else self._next_path(page)
        return found[:limit]

    def delete(self, resource_id: str) -> None:
        """Delete a resource.

        :param resource_id: what the user typed for it.
        :raises CommandError: if there is none, or as above.
        """
        self._call('DELETE', self._path_of(resource_id))

    def find(self, given: str) -> str:
        """Find the UUID of a resource, with no call if that is given.

        :param given: what the user typed.
        :returns: the UUID.
        :raises CommandError: if it is no UUID.
        """
        found = ids.canonical(given)
        if found is None:
            raise errors.CommandError(str(self.missing(id=given)))
        return found

    def _path_of(self, given: str) -> str:
        return f'{self._path}/{self.find(given)}'

    def _next_path(self, page: dict[str, ty.Any]) -> str | None:
        # Only the query is taken from the link: behind a proxy its host may
        # be one that the user cannot reach.
        for link in page.get(f'{self.name}_links') or ():
            if link.get('rel') == 'next':
                return f'{self._path}?{parse.urlsplit(link["href"]).query}'
        return None

    def _call(self, method: str, path: str, **kwargs: ty.Any) -> ty.Any:
        try:
            # Getting the adapter may log in and look into the catalog.
            adapter = self._clients.accelerator
            # The catalog's URL is taken as it is. The links of Cyborg's
            # version documents say "/accelerator", be it served there or not.
            endpoint = adapter.get_endpoint(skip_discovery=True)
            response = adapter.request(
                path,
                method,
                endpoint_override=endpoint,
                raise_exc=False,
                **kwargs,
            )
        except errors.CALL_FAILURES as failure:
            raise errors.from_failure(failure) from failure
        if response.status_code >= 400:
            raise errors.from_response(response)
        return response.json() if response.content else None


class DeviceContexts(_Collection):
    """Calls about device contexts."""

    name = 'device_contexts'
    missing = exception.DeviceContextNotFound

    def find(self, given: str) -> str:
        """Find the UUID of a device context, with one call for a name.

        :param given: its name or UUID, as the user typed it. What may be a
            UUID is no name.
        :returns: the UUID.
        :raises CommandError: if the project has none with the name, or
            several; or if the service refuses or does not answer.
        """
        found = ids.canonical(given)
        if found is not None:
            return found
        matches = self._with_name(given) if ids.may_be_name(given) else []
        if not matches:
            raise errors.CommandError(str(self.missing(id=given)))
        if len(matches) > 1:
            raise errors.CommandError(_several(given, matches))
        return matches[0]

    def _with_name(self, name: str) -> list[str]:
        query = {'name': name, 'fields': 'uuid', 'limit': _MOST_NAMED + 1}
        return [str(each['uuid']) for each in self.list(query)]

    def show(self, context_id: str) -> Context:
        """Get a device context.

        :param context_id: its name or UUID, as the user typed it.
        :returns: the device context.
        :raises CommandError: if there is none, or as above.
        """
        context: Context = self._call('GET', self._path_of(context_id))
        return context

    def update(
        self,
        context_id: str,
        changes: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """Change a device context.

        :param context_id: its name or UUID, as the user typed it.
        :param changes: the new values of the fields to change.
        :raises CommandError: if there is none, or as above.
        """
        self._call('PATCH', self._path_of(context_id), json=changes)

    def create_several(
        self,
        bodies: collections.abc.Sequence[collections.abc.Mapping[str, ty.Any]],
    ) -> tuple[list[Context], list[str]]:
        """Make several device contexts, all or none.

        :param bodies: what the API takes of each.
        :returns: the device contexts, in this order, and warnings.
        :raises CommandError: if the service refuses or does not answer.
        """
        made = self.create({self.name: list(bodies)})
        return made[self.name], made.get('warnings') or []

    def set_tags(
        self, context_id: str, tags: collections.abc.Sequence[str]
    ) -> None:
        """Give a device context other tags.

        :param context_id: its name or UUID, as the user typed it.
        :param tags: all that it is to have.
        :raises CommandError: if there is none, or as above.
        """
        path = f'{self._path_of(context_id)}/tags'
        self._call('PUT', path, json={'tags': list(tags)})

    def add_tag(self, context_id: str, tag: str) -> None:
        """Give a device context one more tag.

        :param context_id: its name or UUID, as the user typed it.
        :param tag: the tag.
        :raises CommandError: if there is none, or as above.
        """
        self._call('PUT', self._path_of_tag(context_id, tag))

    def remove_tag(self, context_id: str, tag: str) -> None:
        """Take a tag from a device context.

        :param context_id: its name or UUID, as the user typed it.
        :param tag: the tag.
        :raises CommandError: if it has not the tag, or as above.
        """
        self._call('DELETE', self._path_of_tag(context_id, tag))

    def _path_of_tag(self, context_id: str, tag: str) -> str:
        tags = f'{self._path_of(context_id)}/tags'
        return f'{tags}/{parse.quote(tag, safe="")}'

    def explain(
        self,
        context_id: str | None,
        body: collections.abc.Mapping[str, ty.Any],
    ) -> Resource:
        """Have it explained why no host has what is asked for.

        :param context_id: name or UUID of a device context, as the user
            typed it; None for what the body asks for.
        :param body: what the API takes.
        :returns: the explanation.
        :raises CommandError: if there is none, or as above.
        """
        path = self._path if context_id is None else self._path_of(context_id)
        found: Resource = self._call('POST', f'{path}/explain', json=body)
        return found


class DeviceContextOptions(_Collection):
    """Calls about what device contexts can ask for."""

    name = 'device_context_options'
    # None is ever named.
    missing = exception.DeviceContextNotFound


class DeviceContextLimits(_Collection):
    """Calls about what a project may have, and has."""

    name = 'device_context_limits'
    # None is ever named.
    missing = exception.DeviceContextNotFound


class DeviceTaints(_Collection):
    """Calls about taints of devices."""

    name = 'device_taints'
    missing = exception.DeviceTaintNotFound


class Events(_Collection):
    """Calls about the events of a device context.

    :param clients: see the class above.
    :param context_id: the device context, as the user typed it.
    """

    name = 'events'
    missing = exception.EventNotFound

    def __init__(self, clients: ty.Any, context_id: str) -> None:
        super().__init__(clients)
        self._of = DeviceContexts(clients)._path_of(context_id)

    @property
    def _path(self) -> str:
        return f'{self._of}/{self.name}'


def _several(name: str, context_ids: collections.abc.Sequence[str]) -> str:
    shown = list(context_ids[:_MOST_NAMED])
    if len(context_ids) > len(shown):
        shown.append('and others')
    return _SEVERAL % {'name': name, 'ids': ', '.join(shown)}
