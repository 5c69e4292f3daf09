# SPDX-License-Identifier: Apache-2.0

"""A tiny guest: a disk image that boots in seconds, and says what it has.

The kernel of Debian or Ubuntu and a busybox, in some 11 or 17 MB; made from
packages that are fetched and unpacked, and not installed. On its serial
console it lists its PCI devices and who it is: see
:mod:`tools.seldom.guest.console`. Call it as ``python -m tools.seldom.guest``,
or from Python: :func:`tools.seldom.guest.image.image.build`.
"""
