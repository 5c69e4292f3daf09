# SPDX-License-Identifier: Apache-2.0

"""What it costs Placement to find hosts with several devices."""
