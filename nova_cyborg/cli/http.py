# SPDX-License-Identifier: Apache-2.0

"""The device contexts of a cloud's Accelerator service, over HTTP."""

import collections.abc
import typing as ty
from urllib import parse

from osc_lib import exceptions as osc_exc

from nova_cyborg import exception
from nova_cyborg.cli import errors, ids

# Relative to the endpoint, with or without /v2: Cyborg takes a path without
# a version as one of v2.
_PATH = '/device_contexts'

#: A device context, as the API has it.
Context = dict[str, ty.Any]


class DeviceContexts:
    """The calls; each raises ``CommandError`` with a sentence if it fails.

    :param clients: osc-lib's client manager, or one like it: its attribute
        ``accelerator`` is an adapter of keystoneauth, as the proxies of
        openstacksdk are. osc-lib's gets the attribute from a plugin, so that
        its class says nothing of it.
    """

    def __init__(self, clients: ty.Any) -> None:
        self._clients = clients

    def create(self, body: collections.abc.Mapping[str, ty.Any]) -> Context:
        """Make a device context.

        :param body: name, groups ... as the API takes them.
        :returns: the new device context.
        :raises CommandError: if the service refuses or does not answer.
        """
        context: Context = self._call('POST', _PATH, json=body)
        return context

    def list(
        self, query: collections.abc.Mapping[str, ty.Any]
    ) -> list[Context]:
        """List device contexts.

        :param query: filters and paging. As many pages are read as a
            ``limit`` needs, otherwise all of them.
        :returns: the device contexts.
        :raises CommandError: if the service refuses or does not answer.
        """
        path: str | None = parse.urlunsplit(
            ('', '', _PATH, parse.urlencode(query), '')
        )
        limit = query.get('limit')
        contexts: list[Context] = []
        while path:
            page = self._call('GET', path)
            contexts += page['device_contexts']
            is_enough = limit is not None and len(contexts) >= limit
            path = None if is_enough else _next_path(page)
        return contexts[:limit]

    def show(self, context_id: str) -> Context:
        """Get a device context.

        :param context_id: its UUID, as the user typed it.
        :returns: the device context.
        :raises CommandError: if there is none, or as above.
        """
        context: Context = self._call('GET', _path_of(context_id))
        return context

    def update(
        self,
        context_id: str,
        changes: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """Change a device context.

        :param context_id: its UUID, as the user typed it.
        :param changes: the new values of the fields to change.
        :raises CommandError: if there is none, or as above.
        """
        self._call('PATCH', _path_of(context_id), json=changes)

    def delete(self, context_id: str) -> None:
        """Delete a device context.

        :param context_id: its UUID, as the user typed it.
        :raises CommandError: if there is none, or as above.
        """
        self._call('DELETE', _path_of(context_id))

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


def _path_of(context_id: str) -> str:
    try:
        return f'{_PATH}/{ids.canonical(context_id)}'
    except exception.DeviceContextNotFound as error:
        raise osc_exc.CommandError(str(error)) from error


def _next_path(page: dict[str, ty.Any]) -> str | None:
    # Only the query is taken from the link: behind a proxy its host may be
    # one that the user cannot reach.
    for link in page.get('device_contexts_links') or ():
        if link.get('rel') == 'next':
            return f'{_PATH}?{parse.urlsplit(link["href"]).query}'
    return None
