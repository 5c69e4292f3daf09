# SPDX-License-Identifier: Apache-2.0

"""What runs in cyborg-agent: the driver of the devices listed in a file."""
