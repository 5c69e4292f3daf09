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

"""What Nova says of a server.

Nova's request to delete a server's ARQs does not tell whether the server is
being deleted or only leaves its host. Nova's API does.
"""

import functools
import logging

from cyborg.common import nova_client
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from openstack import proxy

LOG = logging.getLogger(__name__)

_GONE_STATUSES = frozenset(('DELETED', 'SOFT_DELETED'))


def is_gone(server_id: str) -> bool | None:
    """Tell whether a server is deleted, or is being deleted.

    :param server_id: UUID of the server.
    :returns: True or False; None if Nova does not say.
    """
    try:
        response = _compute().get(f'/servers/{server_id}')
    except (ks_exc.ClientException, sdk_exc.SDKException) as exc:
        LOG.warning('Nova did not answer for server %s: %s', server_id, exc)
        return None
    if response.status_code == 404:
        return True
    if response.status_code != 200:
        LOG.warning(
            'Nova answered with HTTP status %d for server %s. Check that '
            "the user of cyborg.conf's [nova] section may see the servers "
            'of all projects.',
            response.status_code,
            server_id,
        )
        return None
    server = response.json()['server']
    return (
        server['status'] in _GONE_STATUSES
        or server.get('OS-EXT-STS:task_state') == 'deleting'
    )


@functools.cache
def _compute() -> proxy.Proxy:
    # Made once: each making asks Keystone for a token.
    return nova_client.NovaAPI().nova_client
