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

"""The UUIDs of device contexts, as users type them."""

import collections.abc
import uuid

from nova_cyborg import exception


def canonical(text: str) -> str:
    """Return a device context's UUID in the form that the APIs use.

    :param text: what the user typed.
    :returns: the UUID, in lower case and with dashes.
    :raises DeviceContextNotFound: if it is no UUID; there is no need to ask
        a server then.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise exception.DeviceContextNotFound(id=text) from None


def for_one_server(
    texts: collections.abc.Iterable[str], count: int
) -> list[str]:
    """Check the device contexts of a request for servers.

    :param texts: what the user typed, one item a device context.
    :param count: the largest number of servers the request may make.
    :returns: the UUIDs, in the given order.
    :raises DeviceContextNotFound: if one is no UUID.
    :raises DeviceContextRepeated: if one is named twice.
    :raises DeviceContextShared: if there is more than one server.
    """
    ids: list[str] = []
    for text in texts:
        context_id = canonical(text)
        if context_id in ids:
            raise exception.DeviceContextRepeated(id=context_id)
        ids.append(context_id)
    if ids and count > 1:
        raise exception.DeviceContextShared(id=ids[0], count=count)
    return ids
