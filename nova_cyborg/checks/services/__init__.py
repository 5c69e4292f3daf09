# SPDX-License-Identifier: Apache-2.0

"""Services that are asked on message buses whether they have the plugin."""
