# SPDX-License-Identifier: Apache-2.0

"""Devices that Cyborg dedicates, and hypervisors do not give to guests."""

import collections.abc

from nova_cyborg import exception
from nova_cyborg.audit import look


def find(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find devices that guests did not get.

    Only servers' faults tell: what else uses a device is known on its host.

    :param view: the look of the audit.
    :returns: what disagrees; none has a repair.
    """
    for server_id, fault in sorted(view.nova.faults().items()):
        found = exception.find_device_not_given(fault)
        if found:
            yield look.Finding(
                'device-not-given',
                found.device,
                f'Server {server_id} did not get it. {found.sentence}',
            )
