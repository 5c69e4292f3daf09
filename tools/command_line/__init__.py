# SPDX-License-Identifier: Apache-2.0

"""What the command lines of all tools have in common."""
