# SPDX-License-Identifier: Apache-2.0

"""Boots and deletes while services are killed, and a count of the damage."""
