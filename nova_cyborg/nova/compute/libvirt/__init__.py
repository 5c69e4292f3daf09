# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: what guests have of device contexts."""
