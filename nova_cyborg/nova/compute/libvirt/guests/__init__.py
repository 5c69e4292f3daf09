# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: devices of guests, and what is told of them."""
