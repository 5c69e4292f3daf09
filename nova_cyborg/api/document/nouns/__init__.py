# SPDX-License-Identifier: Apache-2.0

"""All operations, in the order in which the document has them."""

import collections.abc

from nova_cyborg.api.document.nouns import (
    attaching,
    clouds,
    device_allocations,
    device_context_events,
    device_context_tags,
    device_contexts,
    device_taints,
    explanations,
    offers,
)
from nova_cyborg.api.document.operations import Operation

#: What the nouns are that operations are of.
TAGS: collections.abc.Mapping[str, str] = {
    'device_contexts': 'What a project has of accelerators.',
    'device_context_options': 'What device contexts can ask for.',
    'device_context_limits': 'What a project may have, and has.',
    'device_allocations': 'What servers hold: for Nova, which has a service '
    'token.',
    'device_taints': 'Why devices are given only to who tolerates that.',
    'reconciler': 'Who puts right what disagrees.',
    'device_context_openapi': 'This document.',
}


def operations() -> collections.abc.Iterator[Operation]:
    """Go through all operations.

    :returns: the operations.
    """
    yield from device_contexts.OPERATIONS
    yield from explanations.OPERATIONS
    yield from device_context_tags.OPERATIONS
    yield from device_context_events.OPERATIONS
    yield from offers.OPERATIONS
    yield from device_allocations.OPERATIONS
    yield from attaching.OPERATIONS
    yield from device_taints.OPERATIONS
    yield from clouds.OPERATIONS
