#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Runs after Nova's and Cyborg's own upgrades, which have started their services
# with the package as it was.
set -o errexit

source "$GRENADE_DIR/grenaderc"
source "$GRENADE_DIR/functions"
source "$TARGET_DEVSTACK_DIR/functions"
source "$TARGET_DEVSTACK_DIR/stackrc"
source "$TARGET_DEVSTACK_DIR/lib/tls"
source "$TARGET_DEVSTACK_DIR/lib/nova"

plugin=$(cd "$(dirname "$0")/.." && pwd)
cyborg=$TARGET_RELEASE_DIR/cyborg/devstack
source "$cyborg/settings"
source "$cyborg/lib/cyborg"
source "$plugin/settings"
source "$plugin/lib/nova_cyborg"

set -o xtrace

install_nova_cyborg
# The tables, before a service with the new package is started.
init_nova_cyborg
restarted=()
if is_service_enabled cyborg-api; then
    restarted+=(cyborg-api)
fi
cells=$(seq --format "n-cond-cell%g" 1 "${NOVA_NUM_CELLS:-1}")
for service in n-api n-super-cond n-cond $cells n-cpu cyborg-agent; do
    # Which conductors there are is not in the list of services.
    if $SYSTEMCTL is-enabled "devstack@$service"; then
        restart_service "devstack@$service"
        restarted+=("$service")
    fi
done
ensure_services_started "${restarted[@]}"
check_nova_cyborg
