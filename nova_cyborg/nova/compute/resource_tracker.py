# SPDX-License-Identifier: Apache-2.0

"""nova-compute: devices go while it remembers their resource providers.

Nova's resource tracker finds the providers of Cyborg's devices under that of
its host when it starts, and then relies on them for some minutes, each time
that a server is booted or deleted. Cyborg removes the provider of a device
that is gone. Stock Nova puts the server in error then. This one forgets what
it remembers, and looks again.
"""

from __future__ import annotations

import logging

from nova import exception as nova_exception
from nova.compute import resource_tracker

from nova_cyborg.nova import overrides

LOG = logging.getLogger(__name__)

# Looks at Placement while devices go.
_ATTEMPTS = 3
# What is raised of a provider that is not there.
_GONE = (
    nova_exception.ResourceProviderAggregateRetrievalFailed,
    nova_exception.ResourceProviderAllocationRetrievalFailed,
    nova_exception.ResourceProviderTraitRetrievalFailed,
)


class ResourceTracker(resource_tracker.ResourceTracker):
    """Nova's resource tracker, for hosts whose devices come and go."""

    @overrides.method('context compute_node startup')
    def _update_to_placement(self, stock: overrides.Stock) -> None:
        for _attempt in range(1, _ATTEMPTS):
            try:
                stock()
                return
            except _GONE as exc:
                LOG.info(
                    'What is remembered of Placement is out of date, and is '
                    'read again: %s',
                    exc,
                )
                self.reportclient.clear_provider_cache()
        stock()


def install() -> str:
    """Put the class in the place of Nova's.

    :returns: nothing for the log: it is a part of what nova-compute's manager
        says.
    :raises PluginActivationFailed: if this release of Nova has other
        methods.
    """
    overrides.check(ResourceTracker)
    # nova-compute's manager looks the class up in the module.
    resource_tracker.ResourceTracker = ResourceTracker
    return ''
