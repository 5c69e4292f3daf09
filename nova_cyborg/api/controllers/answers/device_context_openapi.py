# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_context_openapi``: what there is to ask, and the answers."""

import pecan
from pecan import rest

from nova_cyborg.api.controllers import handler
from nova_cyborg.api.document import building
from nova_cyborg.api.policies import device_context_openapi as policies

# It is another one only with another release. Who keeps it has had a token.
_CACHE = 'private, max-age=3600'


class DeviceContextOpenapiController(rest.RestController):
    """The document of the API."""

    @handler.handle(policies.GET, any_token=True)
    def get_all(self) -> bytes | None:
        """Show the document, unless the caller has it."""
        etag = building.digest()
        pecan.response.headers['ETag'] = f'"{etag}"'
        pecan.response.headers['Cache-Control'] = _CACHE
        if etag in pecan.request.if_none_match:
            pecan.response.status = 304
            return None
        return building.text()
