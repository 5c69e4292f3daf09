# SPDX-License-Identifier: Apache-2.0

"""Slots that servers have given back are cleaned before others get them.

It is begun by whoever unbinds them, and ends by a word of their host's agent.
"""
