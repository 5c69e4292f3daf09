# SPDX-License-Identifier: Apache-2.0

"""Binding: ARQs are made, and bound at once or in the background.

Where a guest needs no more than the address of a slot, they are made with it:
Nova finds them bound, and waits for nothing.

Of what is to be made or programmed on the host, Cyborg's conductor does the
binding, as for any ARQ; it also says why one cannot be bound. Its RPC method
returns when the binding is done, or has failed, so it is called in a thread,
and the request that began it is answered before. A failure is recorded for
the project to read, and Nova is told. What this process does not finish, as it
ends in between, cyborg-conductor resumes.
"""

import collections.abc
import concurrent.futures
import logging
import typing as ty

import oslo_messaging
from cyborg import context as cyborg_context
from cyborg.common import constants, nova_client
from cyborg.common import exception as cyborg_exception
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg import exception
from nova_cyborg.db import allocations, arqs
from nova_cyborg.db.bindings import attaching, attempts, transitions
from nova_cyborg.lifecycle import heal, nova, unbind

LOG = logging.getLogger(__name__)

# One thread waits for one server's binding; programming an FPGA takes
# seconds to minutes. More than these wait for a thread.
_THREADS = 32
# Characters of a reason.
_MOST_SHOWN = 1024
_executor = concurrent.futures.ThreadPoolExecutor(
    _THREADS, thread_name_prefix='device-context-binding'
)


class Conductor(ty.Protocol):
    """Who binds: Cyborg's conductor, by RPC or in its own process."""

    def arq_apply_patch(
        self,
        context: cyborg_context.RequestContext,
        patch_list: ty.Any,
        valid_fields: ty.Any,
        /,
    ) -> None:
        """Bind, and tell Nova."""


def begin(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    wanted: attempts.Wanted,
    check: allocations.Check,
) -> attempts.Binding:
    """Make a server's ARQs and bind them, or begin to; safe to repeat.

    :param conductor: Cyborg's conductor.
    :param wanted: what is to be bound, and where.
    :param check: raises if the device contexts may not be bound.
    :returns: the ARQs.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises StaleGeneration: if another attempt was begun in between.
    :raises ProviderMissing: if a group has no provider.
    """
    try:
        binding = attempts.prepare_binding(context, wanted, check)
    except exception.StillBound as exc:
        # Left from another node, or from an attempt that failed.
        unbind.earlier_attempt(wanted.server_id, exc.arq_ids)
        binding = attempts.prepare_binding(context, wanted, check)
    _run_later(context, conductor, wanted.server_id, binding)
    return binding


def begin_attached(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    call: transitions.Call,
    node: str,
    providers: collections.abc.Mapping[str, str],
    check: allocations.Check,
) -> attempts.Binding:
    """Make the ARQs of a device context that is attached, and bind them.

    Or begin to; safe to repeat.

    :param conductor: Cyborg's conductor.
    :param call: the call that attaches it.
    :param node: the node that the server is on.
    :param providers: UUID of the resource provider by the group's name in the
        request to Placement; see :func:`model.requester_id`.
    :param check: raises if the device context may not be bound.
    :returns: the ARQs.
    :raises OtherAttempt: if another call or attempt has taken over.
    :raises ServerMoving: if what the server uses is on another node.
    :raises ProviderMissing: if a group has no provider.
    """

    def prepare() -> attempts.Binding:
        return attaching.prepare(context, call, node, providers, check)

    try:
        binding = prepare()
    except exception.StillBound as exc:
        # Left from a binding that failed.
        unbind.devices(exc.arq_ids)
        allocations.tidy(context, call.server_id)
        binding = prepare()
    _run_later(context, conductor, call.server_id, binding)
    return binding


def resume(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    server_id: str,
    binding: attempts.Binding,
) -> None:
    """Bind in the background what another process has begun to bind.

    :param conductor: binds.
    :param server_id: UUID of the server.
    :param binding: what is to be bound.
    """
    if binding.arqs:
        _executor.submit(_run, context, conductor, server_id, binding)


def tell(server_id: str, binding: attempts.Binding) -> None:
    """Tell Nova of what is bound, as who has bound it may not have.

    :param server_id: UUID of the server.
    :param binding: what is bound.
    """
    _record_outcome(server_id, binding, '')


def _run_later(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    server_id: str,
    binding: attempts.Binding,
) -> None:
    if not (binding.bound or binding.begun):
        _executor.submit(_run, context, conductor, server_id, binding)


def _run(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    server_id: str,
    binding: attempts.Binding,
) -> None:
    # For the log of this thread: the ids of the request that began it.
    context.update_store()
    try:
        _bind(context, conductor, server_id, binding)
    except Exception:
        # Nobody waits for this thread: what is raised would be seen by none.
        LOG.exception(
            'What became of the binding for server %s could not be recorded. '
            'Run "nova-cyborg-manage audit".',
            server_id,
        )


def _bind(
    context: cyborg_context.RequestContext,
    conductor: Conductor,
    server_id: str,
    binding: attempts.Binding,
) -> None:
    patches, fields = _as_patches(server_id, binding)
    try:
        heal.make_room(
            nova.Nova(), (arq['device_rp_uuid'] for arq in binding.arqs)
        )
        conductor.arq_apply_patch(context, patches, fields)
    except oslo_messaging.MessagingTimeout:
        # The conductor may still do it, and then tells Nova itself.
        LOG.warning(
            'The conductor did not answer in time about the binding for '
            'server %s',
            server_id,
        )
    except Exception as exc:  # noqa: BLE001
        # Any error of the conductor's comes here. The first line is the
        # sentence; the remote traceback follows it.
        sentence = str(exc).partition('\n')[0]
        LOG.error('Binding for server %s failed: %s', server_id, sentence)
        _record_outcome(server_id, binding, _reason(exc, sentence))


def _reason(error: Exception, sentence: str) -> str:
    """Say as much of an error as is for the project to read."""
    if isinstance(
        error, cyborg_exception.CyborgException | exception.DeviceContextError
    ):
        return sentence[:_MOST_SHOWN]
    # It may have the names of databases and hosts of the cloud in it.
    kind = getattr(error, 'exc_type', None) or type(error).__name__
    return f'the Accelerator service failed ({kind}).'


def _as_patches(
    server_id: str, binding: attempts.Binding
) -> tuple[dict[str, list[dict[str, ty.Any]]], dict[str, dict[str, str]]]:
    """Return what ``PATCH /v2/accelerator_requests`` sends on."""
    fields = {
        arq['uuid']: {
            'hostname': binding.hostname,
            'device_rp_uuid': arq['device_rp_uuid'],
            'instance_uuid': server_id,
            # Not that of who asks, perhaps an administrator who evacuates:
            # the owner's own requests are to find the ARQs.
            'project_id': binding.project_id,
        }
        for arq in binding.arqs
    }
    patches = {
        uuid: [
            {'path': f'/{name}', 'op': 'add', 'value': value}
            for name, value in values.items()
        ]
        for uuid, values in fields.items()
    }
    return patches, fields


def _record_outcome(
    server_id: str, binding: attempts.Binding, reason: str
) -> None:
    """Record what became of a binding that raised, and tell Nova.

    The conductor stops at the first ARQ that fails and tells nobody. It
    also raises when only its own word to Nova got lost: then all are bound.
    """
    context = cyborg_context.get_admin_context()
    uuids = [arq['uuid'] for arq in binding.arqs]
    states = arqs.states(context, uuids)
    if len(states) < len(uuids):
        LOG.info('The binding for server %s was unbound meanwhile', server_id)
        return
    failed = set(states.values()) != {constants.ARQ_BOUND}
    if binding.call is not None:
        # Nova asks for what is attached, and is not told.
        if failed:
            attaching.failed(context, binding.call, binding, reason)
        return
    if failed and not attempts.binding_failed(
        context, server_id, binding, reason
    ):
        return
    outcome = (
        constants.ARQ_BIND_STATUS_FAILED
        if failed
        else constants.ARQ_BIND_STATUS_FINISH
    )
    try:
        nova_client.NovaAPI().notify_binding(
            server_id, [(uuid, outcome) for uuid in uuids]
        )
    except (
        cyborg_exception.CyborgException,
        ks_exc.ClientException,
        sdk_exc.SDKException,
    ) as exc:
        LOG.warning(
            'Nova could not be told about the binding for server %s, and '
            'will find out when its arq_binding_timeout is over: %s',
            server_id,
            exc,
        )
