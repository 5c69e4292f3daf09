# SPDX-License-Identifier: Apache-2.0

"""What lists of device contexts are narrowed to and sorted by."""
