# SPDX-License-Identifier: Apache-2.0

"""Keystone's process of the embedded cloud."""
