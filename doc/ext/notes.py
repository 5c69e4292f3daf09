# SPDX-License-Identifier: Apache-2.0

"""Release notes, by the release that brought each.

The files are reno's, but reno is not asked which release brought them: it
follows the history commit by commit, and gives up at a merge that adds a note
and changes it. Here a note belongs to the first release whose files have it.
"""

import collections.abc
import pathlib
import re
import subprocess
import typing as ty

import yaml

UNRELEASED = 'Not released yet'
_FOLDER = 'releasenotes/notes'
_VERSION = re.compile(r'[0-9]+\.[0-9]+\.[0-9]+')


def _git(root: pathlib.Path, *words: str) -> list[str]:
    """Return the lines that git prints; none where it does not know."""
    try:
        done = subprocess.run(  # noqa: S603
            ['git', *words],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return done.stdout.splitlines()


def _key(path: str) -> str:
    # The words before it may be corrected later.
    return pathlib.PurePath(path).stem.rpartition('-')[2]


def by_release(
    root: pathlib.Path,
) -> dict[str, list[dict[str, ty.Any]]]:
    """Return all notes.

    :param root: where the repository is. Without git, nothing is known to be
        released.
    :returns: the contents of the notes, by release, the newest first.
    """
    tags = _git(root, 'tag', '--merged', 'HEAD', '--sort', 'version:refname')
    first: dict[str, str] = {}
    releases = [tag for tag in tags if _VERSION.fullmatch(tag)]
    for release in releases:
        files = _git(root, 'ls-tree', '-r', '--name-only', release, _FOLDER)
        for path in files:
            first.setdefault(_key(path), release)
    found: dict[str, list[dict[str, ty.Any]]] = {
        release: [] for release in [UNRELEASED, *reversed(releases)]
    }
    for file in sorted((root / _FOLDER).glob('*.yaml')):
        release = first.get(_key(file.name), UNRELEASED)
        found[release].append(yaml.safe_load(file.read_text('utf-8')))
    return {release: notes for release, notes in found.items() if notes}


def lines(
    releases: dict[str, list[dict[str, ty.Any]]],
    sections: dict[str, str],
) -> collections.abc.Iterator[str]:
    """Yield notes as text for Sphinx.

    :param releases: the contents of the notes, by release.
    :param sections: which sections, and the title of each.
    """
    for release, notes in releases.items():
        yield from [release, '=' * len(release), '']
        missing = True
        for section, title in sections.items():
            items = [item for note in notes for item in _items(note, section)]
            if not items:
                continue
            missing = False
            yield from [title, '-' * len(title), '']
            for item in items:
                first, *others = item.strip().splitlines()
                yield f'* {first}'
                yield from (f'  {line}'.rstrip() for line in others)
                yield ''
        if missing:
            yield from ['Nothing.', '']


def _items(note: dict[str, ty.Any], section: str) -> list[str]:
    found = note.get(section, [])
    return [found] if isinstance(found, str) else found
