# SPDX-License-Identifier: Apache-2.0

"""Every kind of fault at every step of each operation.

The tests beside this folder have each kind once in each operation. These are
all others: too many for each run, they have tox environments of their own.
"""
