# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: ports and volumes beside device contexts.

Nova attaches and detaches them as the server was that it was told of, and
stores all of that then. A device context may come or go at the same time.
"""

from __future__ import annotations

import contextlib
import dataclasses

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects

from nova_cyborg.nova import carried, marks, overrides
from nova_cyborg.nova.compute.libvirt import live


class LibvirtDriver(live.LibvirtDriver):
    """Nova's libvirt driver, which stores no marks of earlier."""

    @overrides.method('context instance')
    def attach_interface(self, stock: overrides.Stock) -> None:
        """Give a guest a port."""
        with _attaching():
            stock()

    @overrides.method('context connection_info instance')
    def attach_volume(self, stock: overrides.Stock) -> None:
        """Give a guest a volume."""
        with _attaching():
            stock()

    def _build_device_metadata(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> objects.InstanceDeviceMetadata | None:
        # An override of ours, whose arguments are checked there.
        if carried.now().beside:
            # Nova stores the server next.
            _look_again(context, instance)
        found: objects.InstanceDeviceMetadata | None = (
            super()._build_device_metadata(context, instance)
        )
        return found

    @overrides.method('context instance')
    def detach_interface(self, stock: overrides.Stock) -> None:
        """Take a port from a guest."""
        stock()
        _look_again(stock['context'], stock['instance'])

    @overrides.method('context connection_info instance')
    def detach_volume(self, stock: overrides.Stock) -> None:
        """Take a volume from a guest."""
        stock()
        _look_again(stock['context'], stock['instance'])


def _attaching() -> contextlib.AbstractContextManager[None]:
    return carried.carrying(dataclasses.replace(carried.now(), beside=True))


def _look_again(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Have a server bear the marks of now, of which Nova stores none.

    Nothing is read of one that has never borne any.
    """
    marks.keep_stored(instance)
    if not marks.may_bear(instance):
        return
    # One that is gone by now is not stored.
    with contextlib.suppress(nova_exception.InstanceNotFound):
        now = marks.read(context, instance, 'device_metadata')
        marks.adopt(instance, now)
        instance.device_metadata = now.device_metadata
        instance.obj_reset_changes(['device_metadata'])
    marks.keep_stored(instance)
