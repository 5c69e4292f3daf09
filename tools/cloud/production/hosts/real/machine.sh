#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Becomes the first process of a host with a real hypervisor, in the namespaces
# that unshare made: machine.sh CLOUD HOST MARKER. CLOUD is the cloud's folder.
# Once all is in its place, MARKER has the number of this process outside.
set -eu
cloud=$1
host=$2
marker=$3
# /proc is still the one of the outside.
read -r number _rest < /proc/self/stat
# Relative, and not to be resolved: paths change their meaning below.
cd "$cloud"
folder=hypervisors/$host

hostname "$host"
# As after a start of a machine: of what ran before, nothing is told.
rm -rf "$folder/run"
mkdir "$folder/run"
for name in hosts passwd group; do
    mount --no-canonicalize --bind "$folder/$name" "/etc/$name"
done
mount --no-canonicalize --bind "$folder/etc" /etc/libvirt
# libvirt asks udev about devices.
if [ -d /run/udev ]; then
    mkdir -p "$folder/run/udev"
    mount --no-canonicalize --bind /run/udev "$folder/run/udev"
fi
mount --no-canonicalize --bind "$folder/var" /var
mount --no-canonicalize --rbind "$folder/run" /run
case $cloud in
/run/* | /var/*)
    # It has just gone out of sight.
    mkdir -p "$cloud"
    mount --no-canonicalize --rbind . "$cloud"
    ;;
esac
# Without the outer machine's network devices and control groups.
mount -t sysfs sysfs /sys
mount -t proc proc /proc

echo "$number" > "$marker"
# The kernel buries the dead of a parent that does not want to know.
exec env --ignore-signal=CHLD sleep infinity
