# SPDX-License-Identifier: Apache-2.0

"""Reading what apt says of packages, and fetching them once."""

import pytest

from tools.seldom.guest import commands, exception
from tools.seldom.guest.image import packages

_URIS = """\
'http://deb.debian.org/pool/m/mtools_4.0.33-1%2breally_amd64.deb' \
mtools_4.0.33-1+really_amd64.deb 201972 SHA256:972e
"""
_DEBIAN = {
    'linux-image-amd64': 'linux-image-6.1.0-56-amd64 (= 6.1.192-2)',
    'linux-image-6.1.0-56-amd64': 'kmod, linux-base (>= 4.3~)',
}
_UBUNTU = {
    'linux-image-virtual': 'linux-image-6.8.0-151-generic, linux-base',
    'linux-image-6.8.0-151-generic': 'kmod, linux-base (>= 4.5ubuntu1), '
    'linux-modules-6.8.0-151-generic',
}


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


@pytest.mark.parametrize(
    ('release', 'depends', 'expected'),
    [
        ({'ID': 'debian'}, _DEBIAN, ['linux-image-6.1.0-56-amd64']),
        (
            {'ID': 'mint', 'ID_LIKE': 'ubuntu debian'},
            _UBUNTU,
            [
                'linux-image-6.8.0-151-generic',
                'linux-modules-6.8.0-151-generic',
            ],
        ),
    ],
)
def test_the_kernel(monkeypatch, release, depends, expected):
    _be(monkeypatch, release, depends)

    assert packages.kernel_names() == expected


def test_no_kernel(monkeypatch):
    _be(monkeypatch, {'ID': 'debian'}, {'linux-image-amd64': 'libc6'})

    with pytest.raises(exception.NoPackage, match='no kernel'):
        packages.kernel_names()


def test_another_distribution(monkeypatch):
    _be(monkeypatch, {'ID': 'fedora', 'NAME': 'Fedora Linux'}, {})

    with pytest.raises(exception.NotDebian, match='Fedora Linux'):
        packages.kernel_names()


def _be(monkeypatch, release, depends):
    def run(*command):
        return f'Package: x\nDepends: {depends[command[-1]]}\n'.encode()

    monkeypatch.setattr(
        packages.platform, 'freedesktop_os_release', lambda: release
    )
    monkeypatch.setattr(commands, 'run', run)


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    (tmp_path / 'a_1_amd64').mkdir()
    monkeypatch.delattr(commands, 'run')

    found = packages.fetch(
        tmp_path, packages.Package('a', 'a_1_amd64.deb', 'SHA256:0', 'http:')
    )

    assert found == tmp_path / 'a_1_amd64'
