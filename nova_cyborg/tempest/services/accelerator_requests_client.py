# SPDX-License-Identifier: Apache-2.0

"""Client of Cyborg's ``/v2/accelerator_requests``, as far as needed."""

import typing as ty

from nova_cyborg.tempest.services import json_client

_LIST = {
    'status_code': [200],
    'response_body': {
        'type': 'object',
        'properties': {'arqs': {'type': 'array'}},
        'required': ['arqs'],
    },
}


class AcceleratorRequestsClient(json_client.JSONClient):
    """A look at the accelerator requests (ARQs) of servers."""

    def list_accelerator_requests(self, **parameters: ty.Any) -> ty.Any:
        """List accelerator requests.

        :param parameters: filters, such as ``instance``.
        :returns: ``arqs``, a list.
        """
        path = json_client.with_query('/accelerator_requests', parameters)
        return self.call('GET', path, _LIST)
