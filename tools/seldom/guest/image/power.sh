#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

# What the guest does when its power button is pressed.

# acpid's output goes nowhere.
echo 'nova-cyborg-guest: poweroff' >/dev/console
poweroff -f
