# SPDX-License-Identifier: Apache-2.0

"""The systems that are compared."""

#: A flavor that names a device profile, on services without the plugin.
STOCK = 'stock'
#: The same, on services with the plugin.
PROFILES = 'profiles'
#: Device contexts.
CONTEXTS = 'contexts'

ALL = (STOCK, PROFILES, CONTEXTS)
