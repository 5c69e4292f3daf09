#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# How the guest tells what it has, and what comes of using it.

PREFIX='nova-cyborg-guest:'

say() {
    echo "$PREFIX $*"
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

tell_all() {
    tell_metadata
    tell_devices
    run_programs
}
