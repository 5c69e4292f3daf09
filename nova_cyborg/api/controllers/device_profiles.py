# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_profiles``: Cyborg's own, without the hidden ones."""

import collections.abc
import inspect
import typing as ty
from http import HTTPStatus

import pecan
from cyborg import objects
from cyborg.api.controllers.v2 import device_profiles
from cyborg.common import authorize_wsgi, service_token_utils
from cyborg.common import exception as cyborg_exception
from oslo_utils import uuidutils
from wsme import types as wtypes

from nova_cyborg import exception, model
from nova_cyborg.api import stock
from nova_cyborg.db.inventory import taints

# What is beneath Cyborg's decorators, which ours have again.
_stock_get_one = inspect.unwrap(
    device_profiles.DeviceProfilesController.get_one
)
_stock_delete = inspect.unwrap(device_profiles.DeviceProfilesController.delete)


class DeviceProfilesController(device_profiles.DeviceProfilesController):
    """Cyborg's device profiles."""

    def _get_device_profile_list(
        self, names: list[str] | None = None, uuid: str | None = None
    ) -> list[objects.DeviceProfile]:
        found = super()._get_device_profile_list(names, uuid)
        visible = [
            profile
            for profile in found
            if not profile.name.startswith(model.PROFILE_PREFIX)
        ]
        context = pecan.request.context
        if names and service_token_utils.is_service_request(context):
            # Nova asks Placement for what it is told here.
            _refuse_tainted(visible, taints.keys(context))
        return visible

    @authorize_wsgi.authorize_wsgi('cyborg:device_profile', 'get_one')
    @stock.expose('json', wtypes.text)
    def get_one(self, dp_uuid_or_name: str) -> object:
        """Show a profile, but no hidden one: it has a project's config data.

        Asked before Cyborg's own handler, which logs what it finds.
        """
        _check_visible(dp_uuid_or_name)
        return _stock_get_one(self, dp_uuid_or_name)

    @authorize_wsgi.authorize_wsgi('cyborg:device_profile', 'delete')
    @stock.expose(None, wtypes.text, status_code=HTTPStatus.NO_CONTENT)
    def delete(self, value: str) -> None:
        """Delete profiles, but no hidden one: its ARQs could not be read."""
        for name_or_id in value.split(','):
            _check_visible(name_or_id)
        _stock_delete(self, value)

    def _validate_post_request(self, req_devprof: dict[str, ty.Any]) -> None:
        name = str(req_devprof.get('name')).lower()
        if name.startswith(model.PROFILE_PREFIX):
            error = exception.ReservedProfileName(prefix=model.PROFILE_PREFIX)
            raise cyborg_exception.InvalidParameterValue(err=str(error))
        super()._validate_post_request(req_devprof)


def _refuse_tainted(
    profiles: collections.abc.Iterable[objects.DeviceProfile],
    known: collections.abc.Set[str],
) -> None:
    """Have groups of profiles forbid taints, unless they name their traits.

    :param profiles: the profiles; changed in place, and not stored.
    :param known: the keys of all taints.
    """
    if not known:
        return
    refused = {f'trait:{model.taint_trait(key)}': 'forbidden' for key in known}
    for profile in profiles:
        profile.groups = [{**refused, **group} for group in profile.groups]


def _check_visible(name_or_id: str) -> None:
    # Not by what is asked for: to MariaDB, case does not matter.
    get = objects.DeviceProfile.get_by_name
    if uuidutils.is_uuid_like(name_or_id):
        get = objects.DeviceProfile.get_by_uuid
    refuse_hidden(get(pecan.request.context, name_or_id), name_or_id)


def refuse_hidden(profile: objects.DeviceProfile, asked: str) -> None:
    """Let a hidden profile be one that there is not.

    :param profile: a profile that was found.
    :param asked: the name or UUID that it was asked for by.
    :raises ResourceNotFound: if it is hidden.
    """
    if profile.name.startswith(model.PROFILE_PREFIX):
        raise cyborg_exception.ResourceNotFound(
            resource='Device profile', msg=f'with {asked}'
        )
