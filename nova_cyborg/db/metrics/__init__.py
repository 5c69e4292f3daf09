# SPDX-License-Identifier: Apache-2.0

"""Numbers of the whole cloud: how much there is, and how often it happened."""
