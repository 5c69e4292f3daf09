# SPDX-License-Identifier: Apache-2.0

"""The archive that the kernel starts with."""

import stat

from tools.seldom.guest.image import cpio

_FILES = {
    'init': cpio.File(b'#!/bin/sh\n'),
    'bin/sh': cpio.File.link('busybox'),
    'lib/modules/one.ko': cpio.File(b'12345'),
}


def _read(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read an archive as the kernel does: modes and contents by names."""
    found = {}
    place = 0
    while 'TRAILER!!!' not in found:
        header = archive[place : place + 110]
        assert header.startswith(b'070701')
        fields = [int(header[n : n + 8], 16) for n in range(6, 110, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[place + 110 : place + 110 + name_size]
        begin = _aligned(place + 110 + name_size)
        found[name.rstrip(b'\0').decode()] = (
            mode,
            archive[begin : begin + size],
        )
        place = _aligned(begin + size)
    assert place == len(archive)
    return found


def _aligned(place: int) -> int:
    return (place + 3) // 4 * 4


def test_files_links_and_folders():
    found = _read(cpio.archive(_FILES, ['dev']))

    assert found['lib/modules/one.ko'] == (stat.S_IFREG | 0o755, b'12345')
    assert found['bin/sh'] == (stat.S_IFLNK | 0o777, b'busybox')
    assert found['dev'] == (stat.S_IFDIR | 0o755, b'')


def test_folders_come_before_what_is_in_them():
    names = list(_read(cpio.archive(_FILES)))

    places = [
        names.index(name)
        for name in ('lib', 'lib/modules', 'lib/modules/one.ko')
    ]
    assert places == sorted(places)
