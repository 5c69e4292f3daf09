#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# What devstack calls, phase by phase. Nothing is done here but to choose.

source "$NOVA_CYBORG_DIR/devstack/lib/nova_cyborg"

case "$1/${2:-}" in
    stack/pre-install)
        check_nova_cyborg_order
        ;;
    stack/install)
        # After Nova, and Cyborg's plugin.
        echo_summary "Installing nova_cyborg"
        install_nova_cyborg
        ;;
    stack/post-config)
        # All files are there, and no service runs.
        echo_summary "Configuring nova_cyborg"
        configure_nova_cyborg
        ;;
    stack/extra)
        # Cyborg's plugin has just made its database, and started its services.
        echo_summary "Starting nova_cyborg"
        init_nova_cyborg
        ;;
    stack/test-config)
        configure_tempest_nova_cyborg
        check_nova_cyborg
        ;;
    unstack/*)
        unconfigure_nova_cyborg
        ;;
    clean/*)
        cleanup_nova_cyborg
        ;;
esac
