# SPDX-License-Identifier: Apache-2.0

"""Device contexts as a collection: several at once, narrowed, and tagged."""
