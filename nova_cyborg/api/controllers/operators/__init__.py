# SPDX-License-Identifier: Apache-2.0

"""What operators ask for, and no user."""
