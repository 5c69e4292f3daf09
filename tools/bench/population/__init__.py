# SPDX-License-Identifier: Apache-2.0

"""Accelerators that are bound already: rows as those of servers that run.

A server is booted through the APIs; all that the services have written down of
it, and of its host and its card, is read, and put into their databases again
and again, with other names. Nothing here knows what a release of a service
keeps in a column, but which ones say which server, host, card or slot it is.
"""
