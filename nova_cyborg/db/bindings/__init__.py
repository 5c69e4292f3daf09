# SPDX-License-Identifier: Apache-2.0

"""The devices that servers have on nodes, and how they come there."""
