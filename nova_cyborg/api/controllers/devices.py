# SPDX-License-Identifier: Apache-2.0

"""``/v2/devices``: Cyborg's own; a disabled device is disabled as a whole.

Stock Cyborg reserves in Placement what the deployable has whose row id is
that of the device by chance, and no other one.
"""

from http import HTTPStatus

import pecan
from cyborg import objects
from cyborg.api.controllers import types
from cyborg.api.controllers.v2 import devices
from cyborg.common import authorize_wsgi
from cyborg.common import exception as cyborg_exception
from wsme import types as wtypes

from nova_cyborg.api import stock
from nova_cyborg.db.inventory import providers
from nova_cyborg.lifecycle.inventory import publishing


class _Unavailable(cyborg_exception.CyborgException):
    code = HTTPStatus.SERVICE_UNAVAILABLE


class DevicesController(devices.DevicesController):
    """Cyborg's devices."""

    @authorize_wsgi.authorize_wsgi('cyborg:device', 'disable')
    @stock.expose(None, wtypes.text, types.uuid, status_code=HTTPStatus.OK)
    def disable(self, uuid: str) -> None:
        """Have no server get the device; those that have it keep it."""
        _set_status(uuid, providers.MAINTAINED)

    @authorize_wsgi.authorize_wsgi('cyborg:device', 'enable')
    @stock.expose(None, wtypes.text, types.uuid, status_code=HTTPStatus.OK)
    def enable(self, uuid: str) -> None:
        """Have servers get the device again."""
        _set_status(uuid, providers.ENABLED)


def _set_status(uuid: str, status: str) -> None:
    context = pecan.request.context
    device = objects.Device.get(context, uuid)
    before = device.status
    # First what the binding looks at, then what the scheduler does.
    device.status = status
    device.save(context)
    found = [each.uuid for each in providers.of_device(context, device.id)]
    if not publishing.publish(context, found):
        return
    if status == providers.ENABLED:
        # One that is disabled is looked after by each report.
        device.status = before
        device.save(context)
    raise _Unavailable(
        f'Placement could not be told. Device {uuid} is {device.status}. '
        'Repeat the request when Placement answers.'
    )
