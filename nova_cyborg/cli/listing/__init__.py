# SPDX-License-Identifier: Apache-2.0

"""What chooses which device contexts are listed."""
