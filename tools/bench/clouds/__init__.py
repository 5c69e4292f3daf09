# SPDX-License-Identifier: Apache-2.0

"""The clouds that are measured: with the plugin, and without it."""
