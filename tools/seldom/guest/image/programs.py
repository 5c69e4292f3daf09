# SPDX-License-Identifier: Apache-2.0

"""The programs that use devices inside the guest, compiled."""

import pathlib
import tempfile

from tools.seldom.guest import commands

_SOURCES = pathlib.Path(__file__).with_name('programs')


def build() -> dict[str, bytes]:
    """Compile the programs.

    :returns: static programs by their names.
    :raises CommandFailed: if one cannot be compiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        return {
            source.stem: _compile(source, pathlib.Path(folder, source.stem))
            for source in sorted(_SOURCES.glob('*.c'))
        }


def _compile(source: pathlib.Path, target: pathlib.Path) -> bytes:
    commands.run(
        *(
            'gcc',
            '-std=gnu11',
            '-D_GNU_SOURCE',
            '-O2',
            '-Wall',
            '-Wextra',
            '-Werror',
            '-s',
        ),
        *('-static', '-o', str(target), str(source)),
    )
    return target.read_bytes()
