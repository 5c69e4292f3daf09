# SPDX-License-Identifier: Apache-2.0

"""The metadata that a guest reads: which device has which tag.

Nova's metadata service and config drive leave out devices of which they know
no more than the bus. Those of device contexts are added here; what they are
and where was noted by nova-compute.
"""

from __future__ import annotations

import collections.abc
import typing as ty

import wrapt
from nova.api.metadata import base
from nova.objects import virt_device_metadata

from nova_cyborg import signatures

_SIGNATURES = {'_get_device_metadata': 'version'}
_TYPE = 'accelerator'


def install() -> str:
    """Put what adds devices around the method of Nova's metadata.

    :returns: nothing for the log.
    :raises PluginActivationFailed: if this release of Nova has another
        method.
    """
    signatures.check(base.InstanceMetadata, _SIGNATURES)
    wrapt.wrap_function_wrapper(
        base, 'InstanceMetadata._get_device_metadata', _with_accelerators
    )
    return ''


def _with_accelerators(
    stock: collections.abc.Callable[..., list[dict[str, ty.Any]]],
    metadata: ty.Any,
    args: tuple[ty.Any, ...],
    kwargs: dict[str, ty.Any],
) -> list[dict[str, ty.Any]]:
    found = metadata.instance.device_metadata
    return stock(*args, **kwargs) + [
        {
            'type': _TYPE,
            'bus': 'pci',
            'address': device.bus.address,
            'tags': list(device.tags),
        }
        for device in (found.devices if found is not None else ())
        # All of Nova's own are of subclasses.
        if type(device) is virt_device_metadata.DeviceMetadata
    ]
