# SPDX-License-Identifier: Apache-2.0

"""Every Nova service: which classes manage those that are extended."""

from nova import service

from nova_cyborg import exception

# Stock managers and ours. Names: only the service itself imports its own.
_MANAGERS = {
    'nova-compute': (
        'nova.compute.manager.ComputeManager',
        'nova_cyborg.nova.compute.manager.ComputeManager',
    ),
    'nova-conductor': (
        'nova.conductor.manager.ConductorManager',
        'nova_cyborg.nova.conductor.service.ConductorManager',
    ),
}


def install() -> str:
    """Have services managed by the classes that extend Nova's.

    The classes are not put into Nova's modules: methods there call
    ``super()`` by their names.

    :returns: nothing for the log: the classes log when they are used.
    :raises PluginActivationFailed: if this release of Nova has another
        manager.
    """
    for binary, (stock, ours) in _MANAGERS.items():
        found = service.SERVICE_MANAGERS.get(binary)
        if found not in (stock, ours):
            raise exception.PluginActivationFailed(
                reason=f'{binary} is managed by {found}, not {stock}'
            )
        service.SERVICE_MANAGERS[binary] = ours
    return ''
