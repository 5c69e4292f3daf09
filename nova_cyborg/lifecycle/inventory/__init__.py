# SPDX-License-Identifier: Apache-2.0

"""What of the devices can be given, and to whom: told to Placement."""
