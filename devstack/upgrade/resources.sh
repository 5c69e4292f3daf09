#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# What is made before an upgrade, and must be as it was after it: a server that
# has a device context, and a device context that no server has.
set -o errexit

source "$GRENADE_DIR/grenaderc"
source "$GRENADE_DIR/functions"
source "${TOP_DIR:-$TARGET_DEVSTACK_DIR}/openrc" admin admin

set -o xtrace

CLASS=${NOVA_CYBORG_TEMPEST_RESOURCE_CLASS:-FPGA}
# devstack has it, and grenade's own resources; this script's shell has not.
FLAVOR=${DEFAULT_INSTANCE_TYPE:-m1.tiny}

function context {
    openstack accelerator device context "$@"
}

function expect {
    local name=$1 wanted=$2 found
    found=$(context show "$(resource_get nova_cyborg "$name")" \
        -f value -c status)
    if [[ "$found" != "$wanted" ]]; then
        die $LINENO "Device context $name is $found, not $wanted."
    fi
}

function create {
    local name id
    for name in held unused; do
        id=$(context create --name "grenade-$name" --resources "$CLASS:1" \
            -f value -c uuid)
        resource_save nova_cyborg $name "$id"
    done
    openstack --os-compute-api-version 2.37 server create --wait \
        --image "$DEFAULT_IMAGE_NAME" --flavor "$FLAVOR" \
        --nic none --device-context-id "$(resource_get nova_cyborg held)" \
        grenade-device-context
    verify
}

function verify {
    expect held bound
    expect unused available
}

function verify_noapi {
    # The guest runs on; there is nobody to ask.
    :
}

function destroy {
    openstack server delete --wait grenade-device-context
    if context show "$(resource_get nova_cyborg held)"; then
        die $LINENO "The device context is not deleted with its server."
    fi
    context delete "$(resource_get nova_cyborg unused)"
}

case $1 in
    create|verify|verify_noapi|destroy)
        "$1"
        ;;
    force_destroy)
        set +o errexit
        destroy
        ;;
esac
