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

"""Reading what apt says of packages, and fetching them once."""

import pytest

from tools.guest import commands, exception, packages

_URIS = """\
'http://deb.debian.org/pool/m/mtools_4.0.33-1%2breally_amd64.deb' \
mtools_4.0.33-1+really_amd64.deb 201972 SHA256:972e
"""
_SHOWN = """\
Package: linux-image-amd64
Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)
Description: Linux for 64-bit PCs (meta-package)
"""


def test_packages():
    assert packages.parse_uris(_URIS) == {
        'mtools': packages.Package(
            name='mtools',
            file='mtools_4.0.33-1+really_amd64.deb',
            digest='SHA256:972e',
            archive='http://deb.debian.org',
        )
    }


def test_a_package_that_is_not_there(monkeypatch):
    monkeypatch.setattr(
        commands, 'run', lambda *args, **kwargs: _URIS.encode()
    )

    with pytest.raises(exception.NoPackage, match='syslinux'):
        packages.find('mtools', 'syslinux')


def test_the_kernel_of_a_metapackage():
    assert packages.parse_kernel(_SHOWN) == 'linux-image-6.1.0-56-amd64'
    assert packages.parse_kernel('Depends: libc6\n') is None


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    (tmp_path / 'a_1_amd64').mkdir()
    monkeypatch.delattr(commands, 'run')

    found = packages.fetch(
        tmp_path, packages.Package('a', 'a_1_amd64.deb', 'SHA256:0', 'http:')
    )

    assert found == tmp_path / 'a_1_amd64'
