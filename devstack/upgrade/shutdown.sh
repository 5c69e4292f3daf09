#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Nothing of nova_cyborg runs by itself: Nova's and Cyborg's own scripts stop
# the services that it is loaded in.
