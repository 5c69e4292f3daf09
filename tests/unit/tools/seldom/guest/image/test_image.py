# SPDX-License-Identifier: Apache-2.0

"""When the guest's image is made again."""

import io

import pytest

from tools.command_line import progress
from tools.seldom.guest.image import image, packages


@pytest.fixture(name='build')
def _build(tmp_path, monkeypatch):
    versions = {}

    def find(*names):
        return [
            packages.Package(
                name,
                f'{name}_{versions.get(name, 1)}.deb',
                'SHA256:0',
                'http:',
            )
            for name in names
        ]

    def make(path, kernel, tools, programs):
        path.write_bytes(b'')
        versions['made'] = versions.get('made', 0) + 1

    monkeypatch.setattr(packages, 'kernel_names', lambda: ['linux-image-6.1'])
    monkeypatch.setattr(packages, 'find', find)
    monkeypatch.setattr(
        packages, 'fetch', lambda folder, package: folder / package.name
    )
    monkeypatch.setattr(image, '_make', make)

    def build(programs=None, **newer):
        versions.update(newer)
        report = progress.Progress(io.StringIO().write)
        return image.build(tmp_path, report, programs), versions['made']

    return build


def test_it_is_made_once(build):
    assert build() == build()


def test_a_new_package_makes_a_new_image(build):
    first, _made = build()
    second, made = build(mtools='2')

    assert first != second
    assert made == 2


def test_another_program_makes_another_image(build):
    paths = {build({'edu': content})[0] for content in (b'a', b'b')}

    assert len(paths) == 2
