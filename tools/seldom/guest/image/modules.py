# SPDX-License-Identifier: Apache-2.0

"""Kernel modules and what they need, without depmod."""

import collections.abc
import lzma
import pathlib
import re

import zstandard

from tools.seldom.guest import exception

_DEPENDS = re.compile(rb'\0depends=([^\0]*)\0')


def _decompress_zstandard(content: bytes) -> bytes:
    # Not all at once: the file need not say how long it gets.
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)


# How distributions compress modules, by the ends of their names.
_DECOMPRESS: dict[str, collections.abc.Callable[[bytes], bytes]] = {
    '.ko': bytes,
    '.xz': lzma.decompress,
    '.zst': _decompress_zstandard,
}


class Modules:
    """The modules of a kernel.

    :param folders: where the kernel's packages are unpacked.
    """

    def __init__(self, *folders: pathlib.Path) -> None:
        self._paths = {
            _name(path): path
            for folder in folders
            for path in folder.glob('**/*.ko*')
        }
        # A line is the path that the module would have.
        self._built_in = {
            _name(pathlib.Path(line))
            for folder in folders
            for path in folder.glob('**/modules.builtin')
            for line in path.read_text().splitlines()
        }

    def read(self, name: str) -> bytes:
        """Return a module.

        :param name: its name.
        :returns: its content, not compressed.
        :raises NoModule: if there is none.
        """
        path = self._paths.get(name.replace('-', '_'))
        if path is None:
            raise exception.NoModule(name)
        return _DECOMPRESS[path.suffix](path.read_bytes())

    def closure(self, *names: str) -> dict[str, bytes]:
        """Return modules and all that they need.

        :param names: the modules that are wanted.
        :returns: name and content of each, in an order to load them in,
            without those that are built into the kernel.
        :raises NoModule: if one is missing.
        """
        found: dict[str, bytes] = {}
        for name in names:
            self._add(name.replace('-', '_'), found)
        return found

    def _add(self, name: str, found: dict[str, bytes]) -> None:
        if name in found or name in self._built_in:
            return
        content = self.read(name)
        for needed in depends(content):
            self._add(needed, found)
        found[name] = content


def depends(content: bytes) -> list[str]:
    """Return the modules that a module itself says it needs.

    :param content: the module.
    :returns: their names.
    """
    match = _DEPENDS.search(content)
    text = match[1].decode() if match else ''
    return [each.replace('-', '_') for each in text.split(',') if each]


def _name(path: pathlib.Path) -> str:
    return path.name.partition('.')[0].replace('-', '_')
