# SPDX-License-Identifier: Apache-2.0

"""The archive format that the kernel takes its first root folder from."""

import collections.abc
import dataclasses
import pathlib
import stat

_TRAILER = 'TRAILER!!!'
_ALIGNMENT = 4


@dataclasses.dataclass(frozen=True)
class File:
    """A file, or a symbolic link.

    :ivar content: what is in it, or what it points to.
    :ivar mode: its kind and permissions.
    """

    content: bytes
    mode: int = stat.S_IFREG | 0o755

    @classmethod
    def link(cls, target: str) -> 'File':
        """Make a symbolic link.

        :param target: what it points to.
        :returns: the link.
        """
        return cls(target.encode(), stat.S_IFLNK | 0o777)


def archive(
    files: collections.abc.Mapping[str, File],
    folders: collections.abc.Iterable[str] = (),
) -> bytes:
    """Make an archive.

    :param files: the files by their paths, which begin with no slash.
    :param folders: empty folders; those of the files need not be named.
    :returns: the archive, in the format "newc".
    """
    every: dict[str, File] = {}
    wanted = {*folders, *(parent for path in files for parent in _up(path))}
    for folder in sorted(wanted | {up for each in wanted for up in _up(each)}):
        every[folder] = File(b'', stat.S_IFDIR | 0o755)
    every.update(files)
    every[_TRAILER] = File(b'', 0)
    return b''.join(
        _entry(number, path, file)
        for number, (path, file) in enumerate(every.items(), start=1)
    )


def _up(path: str) -> list[str]:
    return [str(each) for each in pathlib.PurePath(path).parents][:-1]


def _entry(number: int, path: str, file: File) -> bytes:
    name = path.encode() + b'\0'
    # Inode, mode, user, group, links, time, size, device and its own device
    # (two numbers each), size of the name, checksum.
    size = len(file.content)
    fields = (number, file.mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name), 0)
    header = b'070701' + b''.join(b'%08X' % field for field in fields)
    return _padded(header + name) + _padded(file.content)


def _padded(content: bytes) -> bytes:
    return content + b'\0' * (-len(content) % _ALIGNMENT)
