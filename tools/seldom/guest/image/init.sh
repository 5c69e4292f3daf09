#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# The guest's first process: tells what it has, and waits to be stopped.

. /tell.sh

mount_all() {
    mount -t devtmpfs none /dev
    mount -t proc none /proc
    mount -t sysfs none /sys
    # The kernel would speak in the middle of our lines.
    dmesg -n 1
}

load_modules() {
    while read -r name; do
        insmod "/lib/modules/$name.ko" || say "trouble module $name"
    done </modules
}

/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount_all
read -r boot </proc/sys/kernel/random/boot_id
say "boot $boot"
load_modules
tell_all
# Before the ready line: whoever has seen it may press the power button.
acpid -l /dev/null
uevent /plugged.sh &
say ready
# The first process reaps what others leave, until the power goes.
while true; do
    sleep 3600 &
    wait
done
