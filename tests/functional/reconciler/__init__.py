# SPDX-License-Identifier: Apache-2.0

"""Reconciling: real Cyborg code and a database, and a stand-in for Nova."""
