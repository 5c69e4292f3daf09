# SPDX-License-Identifier: Apache-2.0

"""nova-compute: what ends by itself that was interrupted, or failed."""
