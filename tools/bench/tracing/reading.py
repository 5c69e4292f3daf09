# SPDX-License-Identifier: Apache-2.0

"""Reading what the services have written down, as they go on."""

import collections
import collections.abc
import json
import pathlib
import time
import typing as ty

Record: ty.TypeAlias = dict[str, ty.Any]

# Something may follow for so long when an operation is done.
_QUIET = 0.4
_MOST = 10.0
_PAUSE = 0.1


class Traces:
    """The lines that the processes of a cloud write.

    :ivar folder: the folder of their files.
    :param folder: the folder of their files.
    :param marked: what the ids of requests begin with that are followed; all
        others are left out.
    :param pause: waits for so many seconds.
    :param clock: tells how many seconds have passed.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        marked: str,
        pause: collections.abc.Callable[[float], None] = time.sleep,
        clock: collections.abc.Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._marked = f'"request":"{marked}'.encode()
        self._pause, self._clock = pause, clock
        self._read: dict[pathlib.Path, int] = {}
        self._records: dict[str, list[Record]] = collections.defaultdict(list)

    def of(self, requests: collections.abc.Collection[str]) -> list[Record]:
        """Return what was done for requests, when all of it is done.

        :param requests: their ids; what is known of them is forgotten.
        :returns: the lines.
        """
        end = self._clock() + _MOST
        known, since = -1, self._clock()
        while self._clock() < min(end, since + _QUIET):
            self._look()
            found = sum(len(self._records[each]) for each in requests)
            if found != known:
                known, since = found, self._clock()
            self._pause(_PAUSE)
        return [
            record
            for each in requests
            for record in self._records.pop(each, ())
        ]

    def skip(self) -> None:
        """Leave out what was written until now."""
        for path in self.folder.glob('*.jsonl'):
            self._read[path] = path.stat().st_size
        self._records.clear()

    def _look(self) -> None:
        for path in self.folder.glob('*.jsonl'):
            with path.open('rb') as stream:
                stream.seek(self._read.get(path, 0))
                content = stream.read()
            # The last line may not have been written to its end.
            whole = content.rpartition(b'\n')[0]
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
            for line in whole.split(b'\n'):
                if self._marked in line:
                    record = json.loads(line)
                    self._records[record['request']].append(record)
