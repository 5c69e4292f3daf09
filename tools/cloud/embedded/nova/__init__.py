# SPDX-License-Identifier: Apache-2.0

"""Nova's process of the embedded cloud: all of its services in one."""
