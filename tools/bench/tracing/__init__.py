# SPDX-License-Identifier: Apache-2.0

"""What services do while they are measured, written down by themselves.

A process that is started with :mod:`tools.bench.tracing.start` on its path
writes a line for each request that it serves, each call that it makes, and
each part of what it does that is about accelerators. The services' own code
has nothing of it, and other processes load nothing of it.
"""
