# SPDX-License-Identifier: Apache-2.0

"""Reconciling: what disagrees is looked at twice, and then put right.

What is done is what the API and the audit do, too; here is decided when.
State decides, again and again, and no event is relied on.
"""
