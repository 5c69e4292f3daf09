# SPDX-License-Identifier: Apache-2.0

"""What reconciling reads and remembers, at a cost that does not grow."""
