# SPDX-License-Identifier: Apache-2.0

"""Resource providers of devices, in Cyborg and in Placement."""

import collections.abc
import functools

from cyborg import context as cyborg_context

from nova_cyborg import exception, model
from nova_cyborg.audit import look
from nova_cyborg.db.inventory import providers, twins
from nova_cyborg.lifecycle import placement
from nova_cyborg.lifecycle.inventory import publishing


def find_without_device(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find resource providers whose devices are gone.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    found = view.placement.of_cyborg()
    # After those of Placement: Cyborg makes its own record first.
    for uuid in sorted(found.keys() - providers.known(view.context)):
        yield look.Finding(
            'provider-without-device',
            uuid,
            f'Placement has resource provider {found[uuid]} of a device that '
            'Cyborg does not know any more.',
            functools.partial(_remove_provider, uuid),
        )


def _remove_provider(uuid: str) -> None:
    """Repair ``provider-without-device``, unless something is allocated."""
    placement.Placement().remove_provider(uuid)


def find_twins(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find devices that are recorded more than once.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for twin in twins.find(view.context):
        servers = ', '.join(twin.server_ids) or 'none'
        yield look.Finding(
            'deployable-twice',
            twin.name,
            'Cyborg has the device more than once. The next report of '
            f'cyborg-agent on {", ".join(twin.hostnames)} removes what no '
            f'server has of it; servers that have slots of it: {servers}.',
        )


def find_differing(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find devices of which Placement does not know what can be given.

    With one call for each resource provider.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    wanted = {
        provider.uuid: provider
        for provider in providers.of_deployables(view.context)
    }
    for deployable in providers.deployables(view.context):
        there = None
        if deployable.provider is not None:
            there = view.placement.inventories(deployable.provider)
        if there is None:
            yield look.Finding(
                'device-without-provider',
                deployable.name,
                'Placement has no resource provider of the device. The next '
                f'report of cyborg-agent on {deployable.hostname} makes it.',
            )
        elif deployable.provider in wanted:
            yield from _about(wanted[deployable.provider], there)


def _about(
    provider: providers.Provider,
    there: collections.abc.Mapping[str, collections.abc.Mapping[str, int]],
) -> collections.abc.Iterator[look.Finding]:
    offered = sum(
        each.get('total', 0) - each.get('reserved', 0)
        for each in there.values()
    )
    if provider.maintained and offered:
        yield look.Finding(
            'drain-lapsed',
            provider.uuid,
            'The device is disabled, and Placement offers it. No server '
            'gets it, and those that are sent to its host fail.',
            functools.partial(_publish, provider.uuid),
        )
    elif publishing.differs(provider, there):
        yield look.Finding(
            'inventory-differs',
            provider.uuid,
            f'The device has {provider.total} of {provider.resource_class}, '
            f'{provider.reserved} of which are not to be given, and at most '
            f'{provider.total} at once. Placement has {_said(there)}.',
            functools.partial(_publish, provider.uuid),
        )


def _said(
    there: collections.abc.Mapping[str, collections.abc.Mapping[str, int]],
) -> str:
    return (
        ' and '.join(
            f'{each.get("total", 0)} of {name}, {each.get("reserved", 0)} of '
            f'which are reserved, and gives at most {each.get("max_unit", 0)}'
            for name, each in sorted(there.items())
        )
        or 'none'
    )


def find_tainted(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find devices that are tainted, and that Placement gives to anyone.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for provider in providers.of_tainted(view.context):
        wanted = set(map(model.taint_trait, provider.taints))
        if not wanted <= view.placement.traits(provider.uuid):
            yield look.Finding(
                'taint-lapsed',
                provider.uuid,
                f'The device has taints ({", ".join(sorted(provider.taints))})'
                ' that Placement does not know of. Servers that do not '
                'tolerate them are sent to it, and fail.',
                functools.partial(_publish, provider.uuid),
            )


def _publish(uuid: str) -> None:
    """Repair ``drain-lapsed``, ``inventory-differs`` and ``taint-lapsed``."""
    context = cyborg_context.get_admin_context()
    if publishing.publish(context, [uuid]):
        raise exception.PlacementFailed(
            reason='it does not take the inventory'
        )
