# SPDX-License-Identifier: Apache-2.0

"""Compute hosts with a real hypervisor: libvirt, and QEMU in software.

Each is a machine of its own as far as namespaces make one: it has its own
name, processes, network, /etc/libvirt, /var and /run, all in the cloud's
folder. libvirt's servers there meet none of the machine's, and what they start
ends with the machine that they take theirs for.
"""
