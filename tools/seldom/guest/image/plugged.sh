#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# What the guest does when a device is plugged in: it tells all anew, as at a
# start, by a name of its own.

. /tell.sh

[ "$ACTION $SUBSYSTEM" = 'add pci' ] || exit 0
# Told as soon as the device is there; its registers come a little later.
for _try in $(seq 100); do
    [ -e "/sys$DEVPATH/resource0" ] && break
    sleep 0.1
done
read -r boot </proc/sys/kernel/random/boot_id
say "boot $boot/$SEQNUM"
tell_all
say ready
