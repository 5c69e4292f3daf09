# SPDX-License-Identifier: Apache-2.0

"""The tests on the production-like cloud, from nothing to nothing."""
