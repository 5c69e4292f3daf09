# SPDX-License-Identifier: Apache-2.0

"""Device contexts that servers get, and lose, while they exist."""
