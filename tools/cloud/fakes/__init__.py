# SPDX-License-Identifier: Apache-2.0

"""Hypervisors and devices without hardware, for stock Nova and Cyborg.

Guests and mediated devices are files; the modules that import Nova or Cyborg
put themselves, in the processes of these, where libvirt and sysfs would be.
"""
