# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud: stock OpenStack services for labs and tests.

Keystone, Placement, Glance, Neutron, Nova and Cyborg as they come from the
package index, on SQLite and oslo.messaging's in-memory bus, without root, a
broker or a database server. Call it as ``python -m tools.cloud``, or from
Python through :class:`tools.cloud.cloud.Cloud`.
"""
