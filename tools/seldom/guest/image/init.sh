#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# The guest's first process: tells what it has, and waits to be stopped.

PREFIX='nova-cyborg-guest:'

say() {
    echo "$PREFIX $*"
}

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

# The config drive comes when its bus has been looked through.
find_config_drive() {
    for _try in $(seq 100); do
        findfs LABEL=config-2 2>/dev/null && return
        sleep 0.1
    done
    return 1
}

# Of a line of JSON, all texts that have a name, one a line.
texts() {
    grep -o "\"$1\": \"[^\"]*\"" /media/openstack/latest/meta_data.json |
        cut -d '"' -f 4
}

tell_metadata() {
    drive=$(find_config_drive) || return
    mount -o ro -t iso9660 "$drive" /media || return
    # The server's UUID comes before everything that the user may choose, and
    # its name after it.
    say "uuid $(texts uuid | head -n 1)"
    say "name $(texts name | tail -n 1)"
    umount /media
}

tell_devices() {
    for path in /sys/bus/pci/devices/*; do
        read -r vendor <"$path/vendor"
        read -r device <"$path/device"
        read -r class <"$path/class"
        say "pci ${path##*/} ${vendor#0x}:${device#0x} ${class#0x}"
    done
}

run_programs() {
    while read -r name; do
        "/usr/bin/$name" </dev/null | while read -r line; do
            say "$line"
        done
    done </programs
}

/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount_all
read -r boot </proc/sys/kernel/random/boot_id
say "boot $boot"
load_modules
tell_metadata
tell_devices
run_programs
# Before the ready line: whoever has seen it may press the power button.
acpid -l /dev/null
say ready
# The first process reaps what others leave, until the power goes.
while true; do
    sleep 3600 &
    wait
done
