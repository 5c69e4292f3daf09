# SPDX-License-Identifier: Apache-2.0

"""Whether servers with device contexts can be moved, and suspended.

What Nova refuses to them is done where the services that take part can do it:
nova-api looks at the record of the node, as is done here, and asks the
nova-conductors; :mod:`.answers` says what those lack.
"""

from __future__ import annotations

import collections.abc

from nova import context as nova_context
from nova import objects

from nova_cyborg.checks import results
from nova_cyborg.nova import features
from nova_cyborg.nova.api import gate
from nova_cyborg.nova.features import computes

# Nodes that are named.
_MOST_NAMED = 10


def check() -> results.Result:
    """Look at this release of Nova, and at the records of the nodes."""
    able, unable = _nodes()
    return results.worst(
        _problems(able, unable),
        'Nodes that servers with device contexts can be moved between, and '
        f'suspended on: {len(able)}.{_others(unable)}',
    )


def _problems(
    able: collections.abc.Sequence[str], unable: collections.abc.Sequence[str]
) -> collections.abc.Iterator[results.Result]:
    refused = [
        name for name, found in gate.functions().items() if found is None
    ]
    if refused:
        yield results.warning(
            'In this release of Nova the refusal to servers with accelerators '
            'is not where it is looked for. What Nova refuses to them stays '
            f'refused: {", ".join(refused)}. See which releases this release '
            'of nova_cyborg is made for.'
        )
    if unable and not able:
        yield results.warning(
            'No nova-compute says that it can move or suspend servers with '
            'device contexts. On hosts with accelerators, set '
            '[oslo_messaging_notifications] driver = nova_cyborg in the '
            'nova.conf of nova-compute, and restart it.'
        )


def _nodes() -> tuple[list[str], list[str]]:
    """Return the names of the nodes that can do all, and of the others."""
    found: dict[bool, list[str]] = {True: [], False: []}
    admin = nova_context.get_admin_context()
    for cell in objects.CellMappingList.get_all(admin):
        with nova_context.target_cell(admin, cell) as context:
            for node in objects.ComputeNodeList.get_all(context):
                said = computes.said(node)
                found[said.issuperset(features.ALL)].append(
                    node.hypervisor_hostname
                )
    return sorted(found[True]), sorted(found[False])


def _others(unable: collections.abc.Sequence[str]) -> str:
    if not unable:
        return ''
    more = len(unable) - _MOST_NAMED
    return (
        ' These have no plugin in nova-compute, or one of an earlier release, '
        'which is right if they have no accelerators: '
        f'{", ".join(unable[:_MOST_NAMED])}'
        f'{f" and {more} more" if more > 0 else ""}.'
    )
