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

"""Taking the kernel out of its self-extracting file."""

import lzma

import pytest

from tools.guest import exception
from tools.hypervisor import vmlinux

_ELF = b'\x7fELF and more'


def test_a_kernel_between_other_things():
    # The same bytes occur in the code that unpacks it, too.
    other = b'code \xfd7zXZ\0 code' + lzma.compress(b'no kernel')

    found = vmlinux.extract(other + lzma.compress(_ELF) + b'\0\0 size')

    assert found == _ELF


def test_no_kernel():
    with pytest.raises(exception.NoKernel):
        vmlinux.extract(b'MZ' + lzma.compress(b'no kernel'))
