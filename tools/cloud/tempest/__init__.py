# SPDX-License-Identifier: Apache-2.0

"""Runs tempest against a cloud, with nova_cyborg's plugin of it.

Everything that tempest must be told comes from the cloud's own APIs, so that
it works with any cloud that an administrator's variables log in to.
"""
