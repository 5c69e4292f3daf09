# SPDX-License-Identifier: Apache-2.0

"""What projects have, and what they may have."""
