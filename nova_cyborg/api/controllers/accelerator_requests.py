# SPDX-License-Identifier: Apache-2.0

"""``/v2/accelerator_requests``: Cyborg's own, by server without a scan.

Stock Nova asks for a server's ARQs at boot, reboot and delete. Cyborg's
controller reads every ARQ of the cloud for that; two handlers here do the
same by index, and release the device contexts of a server that is deleted.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing as ty
from http import HTTPStatus

import pecan
import wsme
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.api.controllers import types
from cyborg.api.controllers.v2 import arqs as stock
from cyborg.common import (
    authorize_wsgi,
    constants,
    exception,
    service_token_utils,
)
from oslo_config import cfg
from wsme import types as wtypes
from wsme.rest import json as wsme_json

from nova_cyborg import exception as our_exception
from nova_cyborg import model
from nova_cyborg.api import stock as stock_routes
from nova_cyborg.api.controllers import device_profiles
from nova_cyborg.db import allocations, arqs
from nova_cyborg.db.inventory import taints
from nova_cyborg.db.requests import shown
from nova_cyborg.lifecycle import nova, release

CONF = cfg.CONF

# What Nova asks for: ARQs of which the binding is over.
_RESOLVED = 'resolved'
_RESOLVED_STATES = frozenset(constants.ARQ_BIND_STATES_STATUS_MAP)

# What is beneath Cyborg's decorators, which ours have again.
_stock_delete = inspect.unwrap(stock.ARQsController.delete)
_stock_post = inspect.unwrap(stock.ARQsController.post)


# Before Cyborg 17, the decorator has to be told to check the policy for the
# request's own project; since then it always does.
_OWN_PROJECT = (
    {'need_target': False}
    if 'need_target'
    in inspect.signature(authorize_wsgi.authorize_wsgi).parameters
    else {}
)


def _require_project() -> None:
    """Refuse a token of no project: stock Cyborg shows it all projects' ARQs.

    :raises Forbidden: if it is no administrator's.
    """
    context = pecan.request.context
    if not context.is_admin and not context.project_id:
        raise exception.Forbidden(
            message='This operation requires a token of a project.'
        )


def _of_server(server_id: str, migration_id: str | None) -> list[shown.Arq]:
    context = pecan.request.context
    # Nova makes a guest with them, whoever has asked it to: of no project's
    # but the user's own, it would start a guest without its devices.
    project_id = (
        None
        if service_token_utils.is_service_request(context)
        else _project_id()
    )
    return shown.to_nova(context, server_id, project_id, migration_id)


def _project_id() -> str | None:
    """Return the project of which ARQs are shown; None for all."""
    context = pecan.request.context
    return None if context.is_admin else str(context.project_id)


def _check_taints(
    context: cyborg_context.RequestContext,
    wanted: dict[str, dict[str, str]],
) -> None:
    """Refuse to bind devices that were tainted after they were chosen."""
    tainted = taints.of_providers(
        context, {fields['device_rp_uuid'] for fields in wanted.values()}
    )
    if not tainted:
        return
    for arq_id, fields in wanted.items():
        group = objects.ExtARQ.get(context, arq_id).device_profile_group
        for taint in tainted.get(fields['device_rp_uuid'], ()):
            # No profile tolerates a taint; it may ask for what has its trait.
            if f'trait:{model.taint_trait(taint.key)}' not in group:
                error = our_exception.DeviceTainted(key=taint.key)
                raise exception.PatchError(reason=str(error))


def _check_beside(
    context: cyborg_context.RequestContext,
    wanted: dict[str, dict[str, str]],
) -> None:
    (fields, *_same) = wanted.values()
    server_id = fields['instance_uuid']
    found = arqs.beside_contexts(context, server_id)
    if found and allocations.exists(context, server_id):
        found = {
            arq_id: node
            for arq_id, node in found.items()
            if node == fields['hostname']
        }
    if found:
        raise exception.PatchError(
            reason=f'Server {server_id} has accelerator requests of a '
            'device profile already.'
        )
    _check_taints(context, wanted)


class ARQ(stock.ARQ):
    """Cyborg's form of an ARQ, which tells what Cyborg does not know."""

    missing = wsme.wsattr(bool)
    """Whether its host does not report its slot; left out if it does"""

    tag = wsme.wsattr(wtypes.text)
    """The tag of its device context; left out if it has none"""

    detaching = wsme.wsattr(bool)
    """Whether its device context is being detached; left out if it is not"""


class ARQCollection(stock.ARQCollection):
    """Cyborg's form of a list of ARQs."""

    arqs: ty.ClassVar = [ARQ]
    """The ARQs"""


def _in_form(found: shown.Arq) -> ARQ:
    """Return an ARQ in the form of the API."""
    # Cyborg's own object: it knows which form each of its fields has.
    arq = objects.ARQ._from_db_object(objects.ARQ(), dict(found.fields))
    item: ARQ = ARQ.convert_with_links(arq)
    if found.missing:
        item.missing = True
    if found.tag:
        item.tag = found.tag
    if found.detaching:
        item.detaching = True
    return item


def _list(found: collections.abc.Iterable[shown.Arq]) -> ARQCollection:
    return ARQCollection(arqs=[_in_form(each) for each in found])


def of_migration(server_id: str, migration_id: str) -> dict[str, ty.Any]:
    """Show the ARQs that were bound for a migration of a server.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    :returns: what a list of ARQs answers.
    """
    found = _of_server(server_id, migration_id)
    answer: dict[str, ty.Any] = wsme_json.tojson(ARQCollection, _list(found))
    return answer


class _Conflict(exception.CyborgException):
    # What Cyborg's own error middleware answers with.
    code = HTTPStatus.CONFLICT


class AcceleratorRequestsController(stock.ARQsController):
    """Cyborg's accelerator requests."""

    @authorize_wsgi.authorize_wsgi('cyborg:arq', 'create', **_OWN_PROJECT)
    @stock_routes.expose(
        stock.ARQCollection,
        body=types.jsontype,
        status_code=HTTPStatus.CREATED,
    )
    def post(self, req: dict[str, ty.Any]) -> object:
        """Make ARQs of a profile, but of no hidden one.

        Such ARQs would belong to no device context, and keep the profile.
        """
        _require_project()
        name = req.get('device_profile_name')
        if isinstance(name, str):
            # As the database finds it: to MariaDB, case does not matter.
            found = objects.DeviceProfile.get_by_name(
                pecan.request.context, name
            )
            device_profiles.refuse_hidden(found, name)
        return _stock_post(self, req)

    @staticmethod
    def _check_if_already_bound(
        context: cyborg_context.RequestContext,
        valid_fields: dict[str, dict[str, str]],
    ) -> None:
        """Refuse to bind ARQs of a profile to a server that has some.

        The ARQs of its device contexts do not count, which are bound beside
        them. A server that is evacuated keeps the ARQs of its old host
        meanwhile: these do not count, either. Stock Cyborg looks at nothing
        else before it binds, so that taints are looked at here, too.
        """
        with stock_routes.hiding_statements():
            _check_beside(context, valid_fields)

    @authorize_wsgi.authorize_wsgi('cyborg:arq', 'get_one', **_OWN_PROJECT)
    @stock_routes.expose(ARQ, types.uuid)
    def get_one(self, uuid: str) -> object:
        """Show an ARQ."""
        _require_project()
        found = shown.get(pecan.request.context, uuid, _project_id())
        if found is None:
            raise exception.ResourceNotFound(
                resource='ExtArq', msg=f'with uuid={uuid}'
            )
        return _in_form(found)

    @authorize_wsgi.authorize_wsgi('cyborg:arq', 'get_all', **_OWN_PROJECT)
    @stock_routes.expose(ARQCollection, wtypes.text, types.uuid, types.uuid)
    def get_all(
        self,
        bind_state: str | None = None,
        instance: str | None = None,
        migration: str | None = None,
    ) -> object:
        """List ARQs; those of a server are found by index.

        Of one that is moved, those that it uses; or those that were bound for
        a migration. A service is told of any project's, as it is of the
        server's allocation.
        """
        _require_project()
        if bind_state not in (None, '', _RESOLVED):
            raise exception.ARQBadState(
                state=bind_state, uuid=None, expected=[_RESOLVED]
            )
        found = (
            _of_server(instance, migration or None)
            if instance
            else shown.every(pecan.request.context, _project_id())
        )
        if not bind_state:
            return _list(found)
        resolved = [
            arq for arq in found if arq.fields['state'] in _RESOLVED_STATES
        ]
        if instance and len(resolved) < len(found):
            return wsme.api.Response(None, status_code=HTTPStatus.LOCKED)
        return _list(resolved)

    @authorize_wsgi.authorize_wsgi('cyborg:arq', 'delete', **_OWN_PROJECT)
    @stock_routes.expose(
        None, wtypes.text, types.uuid, status_code=HTTPStatus.NO_CONTENT
    )
    def delete(
        self, arqs: str | None = None, instance: str | None = None
    ) -> None:
        """Delete ARQs; those of a server may release its contexts."""
        _require_project()
        if arqs or not instance:
            _stock_delete(self, arqs, instance)
            return
        if not service_token_utils.is_service_request(pecan.request.context):
            raise exception.Forbidden(
                message='This operation requires a service token. Use the '
                'Compute API to manage instance accelerators.'
            )
        try:
            release.for_stock_nova(nova.Nova(), instance)
        except our_exception.ServerNotLeaving as exc:
            raise _Conflict(str(exc)) from exc
