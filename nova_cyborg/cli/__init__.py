# SPDX-License-Identifier: Apache-2.0

"""The command lines: openstack, nova and cyborg."""
