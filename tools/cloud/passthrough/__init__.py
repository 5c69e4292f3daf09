# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud with real hypervisors, whose PCI devices guests get.

Each compute host is a hypervisor machine (:mod:`tools.seldom.hypervisor`): a
virtual machine with an IOMMU, libvirt and spare PCI devices. Nova's libvirt
driver runs outside, with all the other services, and connects to it.
"""
