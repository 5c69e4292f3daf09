# SPDX-License-Identifier: Apache-2.0

"""What the clients have in common."""

import json
import typing as ty
import urllib.parse

from tempest.lib.common import rest_client


class JSONClient(rest_client.RestClient):
    """A client whose calls expect one status and a JSON body, or none."""

    def call(
        self,
        method: str,
        path: str,
        schema: dict[str, ty.Any],
        body: ty.Any = None,
    ) -> ty.Any:
        """Send a request, and check the response.

        :param method: the HTTP method.
        :param path: its path and query, from the endpoint on.
        :param schema: the expected ``status_code``, and the JSON schema of
            the ``response_body`` if there is to be one.
        :param body: what to send as JSON.
        :returns: the parsed body, with the response's headers.
        """
        sent = None if body is None else json.dumps(body)
        response, text = self.request(method, path, body=sent)
        received = json.loads(text) if text else None
        self.validate_response(schema, response, received)
        return rest_client.ResponseBody(response, received)


def with_query(path: str, parameters: dict[str, ty.Any]) -> str:
    """Append a query to a path.

    :param path: the path.
    :param parameters: the query's parameters.
    :returns: both; the path alone if there are no parameters.
    """
    return f'{path}?{urllib.parse.urlencode(parameters)}'.rstrip('?')
