# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A tiny guest: a disk image that boots in seconds, and says what it has.

The kernel of Debian or Ubuntu and a busybox, in some 11 or 17 MB; made from
packages that are fetched and unpacked, and not installed. On its serial
console it lists its PCI devices and who it is: see
:mod:`tools.guest.console`. Call it as ``python -m tools.guest``, or from
Python: :func:`tools.guest.image.build`.
"""
