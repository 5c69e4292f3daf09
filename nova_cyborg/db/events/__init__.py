# SPDX-License-Identifier: Apache-2.0

"""Events: what has become of each device context, when, and by whom."""
