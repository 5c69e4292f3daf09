#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# The hypervisor machine's init: mounts, devices, network, libvirt.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

# A value of the kernel's command line.
argument() {
    tr ' ' '\n' </proc/cmdline | sed -n "s/^hypervisor\.$1=//p"
}

mount_all() {
    mkdir -p /dev/pts /dev/shm
    mount -t devpts none /dev/pts
    mount -t tmpfs none /dev/shm
    mount -t tmpfs none /run
    mount -t tmpfs none /tmp
    # It may well be below one of these.
    mkdir -p "$SHARE"
    mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none \
        share "$SHARE"
}

set_names() {
    hostname "$NAME"
    echo "$NAME" >/etc/hostname
    # Else each look-up of the own name waits for a server that is not there.
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$NAME" >/etc/hosts
    : >/etc/resolv.conf
}

set_network() {
    ip link set lo up
    ip address add 10.0.2.15/24 dev eth0
    ip link set eth0 up
}

# The link to the other machine: "own address=own name,address=name".
set_link() {
    ip address add "${LINK%%=*}/24" dev eth1
    # Each frame has its cost for emulated machines: with those of 1500 bytes,
    # the memory of a guest takes six times as long.
    ip link set eth1 mtu 65500 up
    # libvirt knows the host that a guest is migrated to by its name.
    echo "${LINK#*,}" | tr '=' ' ' >>/etc/hosts
}

start_daemons() {
    /lib/systemd/systemd-udevd --daemon
    udevadm trigger
    udevadm settle --timeout 30
    # The driver that edu devices have while no guest has them.
    echo '1234 11e8' >/sys/bus/pci/drivers/uio_pci_generic/new_id
    virtlogd --daemon
    libvirtd --daemon --listen
}

NAME=$(argument name)
SHARE=$(argument share)
LINK=$(argument link)
mount_all
set_names
set_network
[ -z "$LINK" ] || set_link
start_daemons
# The shell of the second serial port: for who looks into the machine.
while true; do
    setsid sh </dev/ttyS1 >/dev/ttyS1 2>&1
done
