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

"""Freeing devices, and taking device contexts back from servers."""

import collections.abc
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.common import constants
from cyborg.common import exception as cyborg_exception

from nova_cyborg import exception
from nova_cyborg.api import servers
from nova_cyborg.db import allocations, devices

LOG = logging.getLogger(__name__)

_Result = ty.TypeVar('_Result')


def unbind(server_id: str) -> None:
    """Free the devices of a server's device contexts; safe to repeat.

    :param server_id: UUID of the server; it keeps its device contexts.
    """
    context = cyborg_context.get_admin_context()
    try:
        allocation = allocations.get(context, server_id)
    except exception.AllocationNotFound:
        return
    free(
        device.arq_id
        for device_context in allocation.device_contexts
        for device in device_context.devices
    )
    allocations.unbound(context, server_id)


def release(server_id: str) -> None:
    """Free a server's devices and take its device contexts back.

    Safe to repeat. Those of a server that Nova does not know any more are
    deleted if they live as long as their server.

    :param server_id: UUID of the server.
    """
    unbind(server_id)
    context = cyborg_context.get_admin_context()
    # Not knowing is no reason to delete what a project has made.
    allocations.release(context, server_id, terminated=_leaves(server_id))
    LOG.info('Server %s has given its device contexts back', server_id)


def server_arqs_deleted(server_id: str) -> None:
    """Free all ARQs of a server, as stock Nova asks for.

    Nova asks for it when a server is deleted, and as well when it only
    leaves its host: shelved, evacuated, or to be built on another host.
    Then the server keeps its device contexts.

    :param server_id: UUID of the server.
    """
    context = cyborg_context.get_admin_context()
    free(devices.of_server(context, server_id))
    try:
        allocations.get(context, server_id)
    except exception.AllocationNotFound:
        return
    if _leaves(server_id):
        allocations.release(context, server_id, terminated=True)
        LOG.info('Server %s has given its device contexts back', server_id)
    else:
        allocations.unbound(context, server_id)
        LOG.info('Server %s keeps its device contexts, unbound', server_id)


def healed(work: collections.abc.Callable[[], _Result]) -> _Result:
    """Do something again as long as only servers that are gone are in the way.

    A server can vanish without Cyborg being told: Nova does not wait for
    Cyborg when it deletes one.

    :param work: what is to be done; raises DeviceContextInUse if a server
        is in the way.
    :returns: what it returns.
    :raises DeviceContextInUse: if the server is not gone.
    """
    asked: set[str] = set()
    while True:
        try:
            return work()
        except exception.DeviceContextInUse as exc:
            holder = str(exc.kwargs['server_id'])
            # One that is soft-deleted can be restored.
            gone = servers.state(holder) is servers.State.GONE
            if holder in asked or not gone:
                raise
        asked.add(holder)
        LOG.info('Taking the device contexts of server %s back', holder)
        unbind(holder)
        # Somebody is asking for them: they are not deleted, as they might
        # have been with their server.
        context = cyborg_context.get_admin_context()
        allocations.release(context, holder, terminated=False)


def _leaves(server_id: str) -> bool:
    state = servers.state(server_id)
    return state in (servers.State.GONE, servers.State.LEAVING)


def free(arq_ids: collections.abc.Iterable[str]) -> None:
    """Unbind and delete ARQs; those that are gone already are no error.

    :param arq_ids: UUIDs of the ARQs.
    """
    context = cyborg_context.get_admin_context()
    for arq_id in arq_ids:
        try:
            arq = objects.ExtARQ.get(context, arq_id)
            if arq.arq.state != constants.ARQ_INITIAL:
                arq.unbind(context)
            arq.destroy(context)
        except cyborg_exception.ResourceNotFound:
            LOG.debug('Accelerator request %s is gone already', arq_id)
