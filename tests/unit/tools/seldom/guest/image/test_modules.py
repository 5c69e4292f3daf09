# SPDX-License-Identifier: Apache-2.0

"""Which kernel modules are loaded, and when."""

import lzma

import pytest
import zstandard

from tools.seldom.guest import exception
from tools.seldom.guest.image import modules


def _module(*needed: str) -> bytes:
    return b'ELF\0alias=x\0depends=' + ','.join(needed).encode() + b'\0end'


def test_what_a_module_needs():
    assert modules.depends(_module('nvme-core', 't10-pi')) == [
        'nvme_core',
        't10_pi',
    ]
    assert modules.depends(_module()) == []
    assert modules.depends(b'') == []


def test_what_is_needed_comes_first_and_once(tmp_path):
    (tmp_path / 'drivers').mkdir()
    for name, content in {
        'nvme.ko': _module('nvme-core'),
        'nvme-core.ko': _module('t10-pi'),
        't10-pi.ko': _module(),
        'sd_mod.ko': _module('t10-pi'),
    }.items():
        (tmp_path / 'drivers' / name).write_bytes(content)

    found = modules.Modules(tmp_path).closure('nvme', 'sd_mod')

    assert list(found) == ['t10_pi', 'nvme_core', 'nvme', 'sd_mod']


def test_what_is_built_in_is_not_loaded(tmp_path):
    image, others = tmp_path / 'image', tmp_path / 'modules'
    image.mkdir()
    others.mkdir()
    (others / 'nvme.ko').write_bytes(_module('nvme-core'))
    (others / 'modules.builtin').write_text(
        'kernel/drivers/nvme/host/nvme-core.ko\nkernel/lib/button.ko\n'
    )

    found = modules.Modules(image, others).closure('nvme', 'button')

    assert list(found) == ['nvme']


@pytest.mark.parametrize(
    ('end', 'compress'), [('xz', lzma.compress), ('zst', zstandard.compress)]
)
def test_a_compressed_module(tmp_path, end, compress):
    (tmp_path / f'nvme.ko.{end}').write_bytes(compress(_module('a')))

    assert modules.Modules(tmp_path).read('nvme') == _module('a')


def test_a_missing_module(tmp_path):
    with pytest.raises(exception.NoModule, match='vfio_pci'):
        modules.Modules(tmp_path).closure('vfio-pci')
