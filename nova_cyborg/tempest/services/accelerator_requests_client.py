# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
