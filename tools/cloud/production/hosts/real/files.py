# SPDX-License-Identifier: Apache-2.0

"""The files of a host with a real hypervisor, where it has its own."""

import pathlib
import uuid

from tools.cloud.model import state as cloud_state

# In the host's folder.
SOCKET = 'run/libvirt/libvirt-sock'
LOG_SOCKET = 'run/libvirt/virtlogd-sock'

_LOG = 'log_outputs = "2:stderr"\n'
_LIBVIRTD = (
    _LOG
    + """# Nobody else gets into the cloud's folder.
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "{uuid}"
"""
)
_QEMU = """# The cloud's folder is root's own, and so are the disks in it.
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
# Namespaces keep this host apart; the machine's own means are not used.
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
# libvirt looks for these accounts, even if it is to use others.
_ACCOUNTS = {
    'passwd': 'root:x:0:0:root:/root:/bin/sh\n'
    'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin\n',
    'group': 'root:x:0:\nkvm:x:64054:\nlibvirt-qemu:x:64055:\n',
}


def write(state: cloud_state.State) -> None:
    """Write the files of all hosts."""
    for host in state.settings.real_hosts:
        path = folder(state, host)
        for name in ('etc', 'run', 'var/cache', 'var/lib', 'var/log'):
            (path / name).mkdir(parents=True)
        for name, text in {**_libvirt(host), **_ACCOUNTS}.items():
            (path / name).write_text(text)
        # Else it looks for its own name in the network, which it has not.
        (path / 'hosts').write_text(f'127.0.0.1 localhost {host}\n')


def folder(state: cloud_state.State, host: str) -> pathlib.Path:
    """Return a host's folder."""
    return state.folder('hypervisors', host)


def _libvirt(host: str) -> dict[str, str]:
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, host)
    return {
        'etc/virtlogd.conf': _LOG,
        'etc/libvirtd.conf': _LIBVIRTD.format(uuid=identity),
        'etc/qemu.conf': _QEMU,
    }
