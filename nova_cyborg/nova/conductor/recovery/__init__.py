# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: servers whose build was interrupted are ended."""
