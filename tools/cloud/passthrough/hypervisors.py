# SPDX-License-Identifier: Apache-2.0

"""Lets each nova-compute of the process use a libvirt elsewhere."""

import threading

import libvirt
from nova import privsep

from tools.cloud.model import state as cloud_state
from tools.cloud.passthrough import virsh

_events = threading.Lock()
_run = libvirt.virEventRunDefaultImpl
_migrate = libvirt.virDomain.migrateToURI3


def install(state: cloud_state.State, hosts: list[str]) -> None:
    """Make the process fit for several computes, and for doing things itself.

    :param hosts: the hosts that the process has computes of.
    """
    # It is root: nobody has to do something on its behalf.
    privsep.sys_admin_pctxt.set_client_mode(False)
    libvirt.virEventRunDefaultImpl = _run_events
    libvirt.virDomain.migrateToURI3 = _migrate_to_uri


def uri(state: cloud_state.State, host: str) -> str:
    """Return the address that a host's libvirt driver connects to.

    :returns: the libvirt URI.
    """
    return virsh.uri(state, host)


def _run_events() -> int:
    # libvirt has one event loop in a process, and each driver a thread for it.
    with _events:
        return int(_run())


def _migrate_to_uri(
    domain: libvirt.virDomain,
    uri: str,
    params: dict[str, object] | None = None,
    flags: int = 0,
) -> int:
    # The machines share the guests' disks by 9p, each without a cache. libvirt
    # takes 9p for a file system that nobody else has.
    unsafe = flags | libvirt.VIR_MIGRATE_UNSAFE
    return int(_migrate(domain, uri, params=params, flags=unsafe))
