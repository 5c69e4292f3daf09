# SPDX-License-Identifier: Apache-2.0

"""Taking the kernel out of its self-extracting file."""

import lzma

import pytest

from tools.seldom.guest import exception
from tools.seldom.hypervisor import vmlinux

_ELF = b'\x7fELF and more'


def test_a_kernel_between_other_things():
    # The same bytes occur in the code that unpacks it, too.
    other = b'code \xfd7zXZ\0 code' + lzma.compress(b'no kernel')

    found = vmlinux.extract(other + lzma.compress(_ELF) + b'\0\0 size')

    assert found == _ELF


def test_no_kernel():
    with pytest.raises(exception.NoKernel):
        vmlinux.extract(b'MZ' + lzma.compress(b'no kernel'))
