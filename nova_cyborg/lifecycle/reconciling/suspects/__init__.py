# SPDX-License-Identifier: Apache-2.0

"""What disagrees, and since when."""
