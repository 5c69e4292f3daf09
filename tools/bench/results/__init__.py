# SPDX-License-Identifier: Apache-2.0

"""What comes of what was measured: numbers, bounds, tables and plots."""
