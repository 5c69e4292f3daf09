# SPDX-License-Identifier: Apache-2.0

"""``/v2/device_context_options``: what device contexts can ask for."""

import typing as ty

from cyborg.conf import CONF
from pecan import rest

from nova_cyborg.api.controllers import handler
from nova_cyborg.api.policies import device_context_option as policies
from nova_cyborg.db.offers import kinds
from nova_cyborg.lifecycle import bounds
from nova_cyborg.lifecycle.explaining import options

_COLLECTION = 'device_context_options'


class DeviceContextOptionsController(rest.RestController):
    """The kinds of devices of the cloud."""

    @handler.handle(policies.GET_ALL)
    def get_all(self) -> dict[str, ty.Any]:
        """List what can be asked for, and whether it is free."""
        counting = handler.is_allowed(policies.GET_NUMBERS)
        context = handler.request_context()
        allowed = bounds.listed(CONF.nova_cyborg.allowed_resource_classes)
        # An empty list stands for what there is.
        found = options.find(context, allowed or None)
        return {_COLLECTION: [_as_dict(each, counting) for each in found]}


def _as_dict(option: options.Option, counting: bool) -> dict[str, ty.Any]:
    zones = None
    if option.zones is not None:
        zones = [
            {'name': name, **_units(units, counting)}
            for name, units in sorted(
                option.zones.items(), key=lambda item: item[0] or ''
            )
        ]
    return {
        'resource_class': option.kind.resource_class,
        'traits': list(option.traits),
        'vendor': option.kind.vendor,
        'product': option.kind.product,
        'type': option.kind.type,
        **_units(option.units, counting),
        'availability_zones': zones,
    }


def _units(units: kinds.Units, counting: bool) -> dict[str, ty.Any]:
    shown: dict[str, ty.Any] = {'available': options.word(units)}
    if counting:
        shown |= {
            'units_total': units.total,
            'units_used': units.used,
            'units_free': units.free,
        }
    return shown
