# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud: a process for each service, SQLite, and no broker.

The modules here that have a ``serve`` are what a process does;
:mod:`tools.cloud.embedded.__main__` is how each begins.
"""
