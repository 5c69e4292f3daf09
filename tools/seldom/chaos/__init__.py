# SPDX-License-Identifier: Apache-2.0

"""Boots and moves while services are killed, and a count of the damage."""
