# SPDX-License-Identifier: Apache-2.0

"""What Cyborg knows of devices: their slots, and which of them are given."""
