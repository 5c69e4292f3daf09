#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# The hypervisor machine's first process: finds the root file system.

/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
# Guests are faster with KVM, and the machine's own guests have none.
options='kvm_amd nested=0'
while read -r name; do
    parameters=
    [ "$name" = "${options%% *}" ] && parameters=${options#* }
    # One that has nothing to drive here refuses; that is then missed later.
    # shellcheck disable=SC2086
    insmod "/lib/modules/$name.ko" $parameters || echo "no module $name"
done </modules
mount -t ext4 /dev/vda /root
cp /hypervisor /root/sbin/hypervisor
mount --move /dev /root/dev
mount --move /proc /root/proc
mount --move /sys /root/sys
exec switch_root /root /sbin/hypervisor
