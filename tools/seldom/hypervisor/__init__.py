# SPDX-License-Identifier: Apache-2.0

"""A hypervisor in a box: a virtual machine with an IOMMU that runs libvirt.

QEMU emulates a PC with VT-d and spare PCI devices, without hardware's help.
Inside, Debian's libvirt and QEMU give these devices to guests by VFIO, as on
real hardware; nova-compute runs outside, and connects to that libvirt.
"""
