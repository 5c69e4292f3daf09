# SPDX-License-Identifier: Apache-2.0

"""``/servers/{server_id}/os-device-contexts`` of Nova's API."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import typing as ty
import uuid

import webob.exc
from nova import exception as nova_exception
from nova import objects
from nova.api import validation
from nova.api.openstack import common, wsgi
from nova.api.openstack.compute import routes
from oslo_utils import uuidutils

from nova_cyborg import cyborg_client, model, signatures
from nova_cyborg.nova.api.attachments import compute_api, policies, schemas

_COLLECTION = '/servers/{server_id}/os-device-contexts'
_MEMBER = _COLLECTION + '/{id}'
# What nova-compute is to have of the server.
_ATTRS = ['flavor', 'system_metadata', 'device_metadata', 'info_cache']
# Of the module whose list of routes is extended.
_CALLED = {'_create_controller': 'main_controller action_controller_list'}


class DeviceContextAttachmentController(wsgi.Controller):
    """Lists, shows, attaches and detaches device contexts of a server."""

    def __init__(self) -> None:
        super().__init__()
        self.compute_api = compute_api.API()

    @wsgi.expected_errors((404,))
    @validation.query_schema(schemas.QUERY)
    def index(self, req: ty.Any, server_id: str) -> dict[str, ty.Any]:
        """List the device contexts of a server."""
        instance = self._instance(req, server_id, policies.LIST)
        found = compute_api.held_by(req.environ['nova.context'], instance)
        return {
            f'{schemas.KEY}s': [_as_dict(each, instance) for each in found]
        }

    @wsgi.expected_errors((404,))
    @validation.query_schema(schemas.QUERY)
    def show(self, req: ty.Any, server_id: str, id: str) -> dict[str, ty.Any]:  # noqa: A002
        """Show a device context of a server."""
        instance = self._instance(req, server_id, policies.SHOW)
        context_id = _context_id(server_id, id)
        for each in compute_api.held_by(req.environ['nova.context'], instance):
            if each.uuid == context_id:
                return {schemas.KEY: _as_dict(each, instance)}
        raise _not_held(server_id, id)

    @wsgi.response(202)
    @wsgi.expected_errors((400, 403, 404, 409))
    @validation.schema(schemas.CREATE)
    def create(
        self, req: ty.Any, server_id: str, body: dict[str, ty.Any]
    ) -> dict[str, ty.Any]:
        """Begin to attach a device context to a server."""
        instance = self._instance(req, server_id, policies.CREATE)
        asked = body[schemas.KEY]
        with _conflicts(compute_api.ATTACH, server_id):
            attached = self.compute_api.attach_device_context(
                req.environ['nova.context'],
                instance,
                _canonical(asked['device_context_id']),
                asked.get('tag'),
            )
        return {schemas.KEY: _as_dict(attached, instance)}

    @wsgi.response(202)
    @wsgi.expected_errors((404, 409))
    def delete(self, req: ty.Any, server_id: str, id: str) -> None:  # noqa: A002
        """Begin to detach a device context from a server."""
        instance = self._instance(req, server_id, policies.DELETE)
        context_id = _context_id(server_id, id)
        with _conflicts(compute_api.DETACH, server_id):
            self.compute_api.detach_device_context(
                req.environ['nova.context'], instance, context_id
            )

    def _instance(
        self, req: ty.Any, server_id: str, rule: str
    ) -> objects.Instance:
        """Return a server, if what is asked for is allowed with it."""
        context = req.environ['nova.context']
        instance = common.get_instance(
            self.compute_api, context, server_id, expected_attrs=_ATTRS
        )
        context.can(rule, target={'project_id': instance.project_id})
        return instance


@contextlib.contextmanager
def _conflicts(action: str, server_id: str) -> collections.abc.Iterator[None]:
    """Answer 409 if a server is locked, or in no state for something."""
    try:
        yield
    except nova_exception.InstanceIsLocked as exc:
        raise webob.exc.HTTPConflict(explanation=exc.format_message()) from exc
    except nova_exception.InstanceInvalidState as exc:
        common.raise_http_conflict_for_instance_invalid_state(
            exc, action, server_id
        )


def _context_id(server_id: str, given: str) -> str:
    """Return the UUID of a device context that is named in a path.

    :raises HTTPNotFound: if it can be none.
    """
    if not uuidutils.is_uuid_like(given):
        raise _not_held(server_id, given)
    return _canonical(given)


def _canonical(given: str) -> str:
    """Return a UUID as Cyborg writes it.

    The server's request names it so, whoever detaches it, and how.
    """
    return str(uuid.UUID(given))


def _not_held(server_id: str, given: str) -> webob.exc.HTTPNotFound:
    return webob.exc.HTTPNotFound(
        explanation=f'Server {server_id} does not hold device context {given}.'
    )


def _as_dict(
    held: cyborg_client.AllocatedContext, instance: objects.Instance
) -> dict[str, ty.Any]:
    return {
        'device_context_id': held.uuid,
        'server_id': instance.uuid,
        'name': held.name,
        'status': held.status,
        'tag': held.tag,
        'devices': [
            {
                'type': device.attach_handle_type,
                'slot': device.slot,
                'group': device.group,
                'accelerator_request_id': device.arq_id,
            }
            for device in model.active_devices(held.bindings)
        ],
    }


def install() -> str:
    """Have Nova's API serve the routes.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has its routes in
        another way.
    """
    signatures.check_named(routes, _CALLED)
    policies.install()
    controller = functools.partial(
        routes._create_controller, DeviceContextAttachmentController, []
    )
    ours = (
        (
            _COLLECTION,
            {'GET': [controller, 'index'], 'POST': [controller, 'create']},
        ),
        (
            _MEMBER,
            {'GET': [controller, 'show'], 'DELETE': [controller, 'delete']},
        ),
    )
    known = {path for path, _methods in routes.ROUTE_LIST}
    routes.ROUTE_LIST += tuple(
        route for route in ours if route[0] not in known
    )
    return 'device contexts of servers that exist'
