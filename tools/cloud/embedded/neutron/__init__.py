# SPDX-License-Identifier: Apache-2.0

"""Neutron's process of the embedded cloud."""
