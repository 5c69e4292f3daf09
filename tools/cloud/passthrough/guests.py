# SPDX-License-Identifier: Apache-2.0

"""The guests on the hypervisor machines, for who waits for one."""

import functools

from tools.cloud import waiting
from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import config, machines, virsh
from tools.seldom.guest import domain

_SECONDS = 120.0


def find(
    state: cloud_state.State, server_id: str, seconds: float = _SECONDS
) -> domain.Domain:
    """Return the guest of a server, when a host says that it has it.

    While a server moves, two have it: it is the one that runs, if one does.

    :param seconds: how long to wait for that at most.
    :raises StepFailed: if none does.
    """
    found: list[str] = []

    def is_found() -> bool:
        found[:] = virsh.hosts_of(state, server_id)
        return bool(found)

    what = f'a host to have the guest of {server_id}'
    waiting.until(what, is_found, seconds)
    return of(state, found[0], server_id)


def of(state: cloud_state.State, host: str, server_id: str) -> domain.Domain:
    """Return the guest of a server on a host."""
    return domain.Domain(
        server_id,
        config.guests(state) / server_id / 'console.log',
        state.log(machines.program_name(host)),
        functools.partial(virsh.call, state, host),
    )
