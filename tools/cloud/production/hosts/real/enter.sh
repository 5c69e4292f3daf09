#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command on a host with a real hypervisor, once machine.sh has made it:
# enter.sh MARKER COMMAND...
set -eu
marker=$1
shift
tries=300
until [ -s "$marker" ]; do
    tries=$((tries - 1))
    if [ $tries -eq 0 ]; then
        echo "$marker does not come: the host is not made" >&2
        exit 1
    fi
    sleep 0.1
done
exec nsenter --target "$(cat "$marker")" \
    --mount --uts --ipc --net --pid -- "$@"
