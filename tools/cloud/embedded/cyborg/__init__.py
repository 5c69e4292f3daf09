# SPDX-License-Identifier: Apache-2.0

"""Cyborg's process of the embedded cloud: all of its services in one."""
